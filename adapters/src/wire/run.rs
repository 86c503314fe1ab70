//! A connection of a server, and the handler that runs on it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::{Driver, Goes, Link};
use crate::conclusion::Conclusion;
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
        link.lock().begin_turn(link);
        loop {
            let next = match this.handling.as_mut().project() {
                HandlingProjection::Some { handler } => {
                    ready!(poll_handler(link, handler, cx));
                    Handling::None
                }
                HandlingProjection::None => match ready!(this.driver.poll_next(cx)) {
                    Ok(exchange) => start(link, this.handler, exchange),
                    Err(ended) => return Poll::Ready(ended),
                },
            };
            this.handling.set(next);
        }
    }
}

/// Calls the handler. It may panic before it returns a future.
fn start<F>(link: &Link, handler: &impl Fn(Exchange) -> F, exchange: Exchange) -> Handling<F> {
    if let Ok(handler) = catch_unwind(AssertUnwindSafe(|| handler(exchange))) {
        return Handling::Some { handler };
    }
    link.hub.counters.panicked.add();
    Handling::None
}

/// Runs a handler to its end, or to that of its time. Whenever the handler waits, also for its own work, queued output is written.
fn poll_handler<F: Future<Output: Conclusion>>(
    link: &Arc<Link>,
    handler: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<()> {
    if link.hub.is_cut() {
        // Before the handler is dropped: its exchange gets no answer.
        link.lock().leave(Ended::Shutdown);
        return Poll::Ready(());
    }
    link.lock().begin(cx);
    // After a panic the handler is not polled again, and its future is dropped.
    match catch_unwind(AssertUnwindSafe(|| handler.poll(cx).is_ready())) {
        Ok(false) => {
            let goes = link.lock().poll_rest(link, cx);
            if goes == Goes::On {
                return Poll::Pending;
            }
        }
        Ok(true) => {}
        Err(_) => link.hub.counters.panicked.add(),
    }
    Poll::Ready(())
}

impl<H, F> fmt::Debug for Run<H, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("endpoints", &self.link().endpoints).finish_non_exhaustive()
    }
}
