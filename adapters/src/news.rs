//! Waits for news of a connection that concern every right.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::Ended;
use crate::connection::Link;

/// A task among those that wait for news.
struct Watcher<'a> {
    link: &'a Link,
    /// Its slot, as long as it has one.
    key: Option<usize>,
}

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.link.lock().unwatch(key);
        }
    }
}

macro_rules! news {
    ($($(#[$doc:meta])* $name:ident -> $news:ty: $poll:ident;)*) => {$(
        $(#[$doc])*
        #[must_use = "futures do nothing unless polled"]
        pub struct $name<'a>(Watcher<'a>);

        impl<'a> $name<'a> {
            pub(crate) fn new(link: &'a Link) -> Self {
                Self(Watcher { link, key: None })
            }
        }

        impl Future for $name<'_> {
            type Output = $news;

            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<$news> {
                let Watcher { link, key } = &mut self.get_mut().0;
                link.lock().$poll(cx, key)
            }
        }

        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

news! {
    /// Waits until the connection has ended.
    Gone -> Ended: poll_gone;
    /// Waits until the peer has ended its side of the stream, or the connection has ended.
    HalfClosed -> (): poll_half_closed;
    /// Waits until the server stops, or the connection has ended.
    Stopping -> (): poll_stopping;
}
