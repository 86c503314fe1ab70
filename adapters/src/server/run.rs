//! A connection of a server, and the handler that runs on it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::answered::IntoAnswered;
use super::report::{HandlerEnd, Pending};
use crate::connection::{Beside, Driver, Link, Turned};
use crate::{Ended, Exchange};

pin_project! {
    /// Serves one connection to its end: made by [`Server::run`](crate::Server::run).
    ///
    /// The handler's future has memory of its own, which a connection that waits for a request does not hold.
    #[must_use = "futures do nothing unless polled"]
    pub struct Run<H, F> {
        // The handler's future is dropped first: it may still decide how the connection ends.
        handling: Option<Pin<Box<Handling<F>>>>,
        handler: H,
        driver: Driver,
    }
}

pin_project! {
    /// The memory for a handler's future. The requests of one turn use it one after the other.
    #[project = HandlingProjection]
    enum Handling<F> {
        /// No handler runs: the connection waits for a request, or for rights that a handler has passed on, or ends.
        None,
        Some {
            #[pin]
            future: F,
            // Dropped after it.
            pending: Option<Box<Pending>>,
        },
    }
}

impl<H, F> Run<H, F> {
    pub(crate) fn new(link: Arc<Link>, handler: H) -> Self {
        Self { handling: None, handler, driver: Driver::new(link) }
    }

    pub(crate) fn link(&self) -> &Arc<Link> {
        self.driver.link()
    }
}

impl<H, F> Future for Run<H, F>
where
    H: Fn(Exchange) -> F,
    F: Future<Output: IntoAnswered>,
{
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let this = self.project();
        let (handling, link) = (this.handling, this.driver.link());
        link.lock().begin(link, cx, beside(handling.as_deref()));
        loop {
            if let Some(handling) = handling {
                handling.as_mut().poll(link, cx);
            }
            let beside = beside(handling.as_deref());
            // The lock is released before a handler is called, polled or dropped.
            let turned = link.lock().turn(link, cx, beside);
            match turned {
                Turned::Request(exchange) => start(link, this.handler, exchange, handling),
                Turned::Again => {}
                Turned::Cancel => {
                    if let Some(mut handling) = handling.take() {
                        handling.as_mut().end(link, HandlerEnd::Cancelled);
                    }
                }
                Turned::Waits => {
                    if beside == Beside::Nothing {
                        *handling = None;
                    }
                    return Poll::Pending;
                }
                Turned::Ended(ended) => return Poll::Ready(ended),
            }
        }
    }
}

fn beside<F>(handling: Option<&Handling<F>>) -> Beside {
    match handling {
        None | Some(Handling::None) => Beside::Nothing,
        Some(Handling::Some { .. }) => Beside::Handler,
    }
}

/// Calls the handler. It may panic before it returns a future.
fn start<F>(
    link: &Arc<Link>,
    handler: &impl Fn(Exchange) -> F,
    exchange: Exchange,
    handling: &mut Option<Pin<Box<Handling<F>>>>,
) {
    let tell = link.shared.settings.on_exchange.as_ref();
    let pending = tell.map(|tell| Pending::new(tell, link, exchange.head()));
    let Ok(future) = catch_unwind(AssertUnwindSafe(|| handler(exchange))) else {
        return conclude(link, pending, HandlerEnd::Panicked);
    };
    match handling {
        Some(handling) => handling.set(Handling::Some { future, pending }),
        None => *handling = Some(Box::pin(Handling::Some { future, pending })),
    }
}

/// Concludes an exchange whose handler has ended.
fn conclude(link: &Link, pending: Option<Box<Pending>>, outcome: HandlerEnd) {
    let mut connection = link.lock();
    connection.conclude(link, &outcome);
    drop(connection);
    if let Some(pending) = pending {
        pending.tell(outcome);
    }
}

impl<F> Handling<F> {
    /// Drops the handler, and concludes its exchange.
    fn end(mut self: Pin<&mut Self>, link: &Link, outcome: HandlerEnd) {
        let HandlingProjection::Some { pending, .. } = self.as_mut().project() else { return };
        let pending = pending.take();
        self.set(Self::None);
        if pending.is_some() || !matches!(outcome, HandlerEnd::Answered) {
            conclude(link, pending, outcome);
        }
    }
}

impl<F: Future<Output: IntoAnswered>> Handling<F> {
    /// Polls the handler, if one runs. After a panic it is not polled again.
    fn poll(mut self: Pin<&mut Self>, link: &Link, cx: &mut Context<'_>) {
        let HandlingProjection::Some { future, .. } = self.as_mut().project() else { return };
        let polled = catch_unwind(AssertUnwindSafe(|| future.poll(cx).map(IntoAnswered::into_handler_end)));
        if let Poll::Ready(outcome) = polled.unwrap_or(Poll::Ready(HandlerEnd::Panicked)) {
            self.end(link, outcome);
        }
    }
}

impl<H, F> fmt::Debug for Run<H, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("endpoints", &self.link().endpoints).finish_non_exhaustive()
    }
}
