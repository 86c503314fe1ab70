//! Waits for the end.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::Ended;
use crate::connection::Link;

/// Waits until a WebSocket has ended, and returns how.
#[must_use = "it says how the connection ended"]
pub struct CloseSocket {
    link: Arc<Link>,
    key: Option<usize>,
}

impl CloseSocket {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self { link, key: None }
    }

    /// Makes a second one, for another task.
    pub(super) fn again(&self) -> Self {
        Self::new(Arc::clone(&self.link))
    }
}

impl Future for CloseSocket {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let Self { link, key } = self.get_mut();
        link.lock().poll_gone(cx, key)
    }
}

impl Drop for CloseSocket {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.link.lock().unwatch(key);
        }
    }
}

impl fmt::Debug for CloseSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloseSocket").finish_non_exhaustive()
    }
}
