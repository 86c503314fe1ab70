//! A connection of a server, and the handler that runs on it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::conclusion::Conclusion;
use crate::connection::{Beside, Driver, Link, Turned};
use crate::{Ended, Exchange};

pin_project! {
    /// Serves one connection to its end: made by [`Server::run`](crate::Server::run).
    ///
    /// Written by hand, since every idle connection pays for it: the handler's future is all that it holds beside the
    /// connection.
    #[must_use = "futures do nothing unless polled"]
    pub struct Run<H, F> {
        // The handler's future is dropped first: it may still decide how the connection ends.
        #[pin]
        handling: Handling<F>,
        handler: H,
        driver: Driver,
    }
}

pin_project! {
    #[project = HandlingProjection]
    enum Handling<F> {
        /// No handler runs: the connection waits for a request, or for rights that a handler has passed on, or ends.
        None,
        Some { #[pin] handler: F },
    }
}

impl<H, F> Run<H, F> {
    pub(crate) fn new(link: Arc<Link>, handler: H) -> Self {
        Self { handling: Handling::None, handler, driver: Driver::new(link) }
    }

    pub(crate) fn link(&self) -> &Arc<Link> {
        self.driver.link()
    }
}

impl<H, F> Future for Run<H, F>
where
    H: Fn(Exchange) -> F,
    F: Future<Output: Conclusion>,
{
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let mut this = self.project();
        let link = this.driver.link();
        link.lock().begin(link, cx, beside(&this.handling));
        loop {
            if let HandlingProjection::Some { handler } = this.handling.as_mut().project() {
                if poll_handler(link, handler, cx).is_ready() {
                    this.handling.set(Handling::None);
                }
            }
            // The lock is released before a handler is called, polled or dropped.
            let turned = link.lock().turn(link, cx, beside(&this.handling));
            match turned {
                Turned::Request(exchange) => this.handling.set(start(link, this.handler, exchange)),
                Turned::Again => {}
                Turned::Cancel => this.handling.set(Handling::None),
                Turned::Waits => return Poll::Pending,
                Turned::Ended(ended) => return Poll::Ready(ended),
            }
        }
    }
}

fn beside<F>(handling: &Handling<F>) -> Beside {
    match handling {
        Handling::None => Beside::Nothing,
        Handling::Some { .. } => Beside::Handler,
    }
}

/// Calls the handler. It may panic before it returns a future.
fn start<F>(link: &Link, handler: &impl Fn(Exchange) -> F, exchange: Exchange) -> Handling<F> {
    if let Ok(handler) = catch_unwind(AssertUnwindSafe(|| handler(exchange))) {
        return Handling::Some { handler };
    }
    link.shared.counters.panicked.add();
    Handling::None
}

/// Polls a handler. After a panic it is not polled again, and its future is dropped.
fn poll_handler<F: Future<Output: Conclusion>>(
    link: &Link,
    handler: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<()> {
    catch_unwind(AssertUnwindSafe(|| handler.poll(cx).map(drop))).unwrap_or_else(|_| {
        link.shared.counters.panicked.add();
        Poll::Ready(())
    })
}

impl<H, F> fmt::Debug for Run<H, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("endpoints", &self.link().endpoints).finish_non_exhaustive()
    }
}
