//! A connection of a server, and the handler that runs on it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::Inner;
use super::answered::IntoAnswered;
use super::report::{HandlerEnd, Pending};
use super::room::{self, Sleep, Sleeps, Tender};
use super::shed::Told;
use crate::connection::{Beside, Driver, Link, Member, Turned};
use crate::{Ended, Exchange};

pin_project! {
    /// Serves one connection to its end, one exchange after the other: made by
    /// [`Server::connection`](crate::Server::connection). Its result is how the connection ended.
    ///
    /// The handler runs inside this future. Whenever it waits, earlier responses are written first. A panic of the
    /// handler is caught: the request gets a 500 and the connection closes. The handler's future has memory of its own,
    /// which a connection that waits for a request does not hold.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection at once.
    #[must_use = "futures do nothing unless polled"]
    pub struct Run<H, F> {
        // The handler's future is dropped first: it may still decide how the connection ends.
        handling: Option<Pin<Box<Handling<F>>>>,
        server: Arc<Inner<H>>,
        driver: Driver,
        // `None` once it has left.
        member: Option<Member>,
        // For a connection of another accept loop.
        own: Option<Box<Own>>,
    }
}

/// What an accept loop would do for a connection.
struct Own {
    tender: Tender,
    /// `None` once it has a place.
    entering: Option<Sleep>,
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
    /// One that an accept loop has found a place for.
    pub(super) fn new(link: Arc<Link>, server: Arc<Inner<H>>, member: Member) -> Self {
        Self { handling: None, server, driver: Driver::new(link), member: Some(member), own: None }
    }

    /// One of another accept loop. `member`: `None` if it is not admitted.
    pub(super) fn alone(
        link: Arc<Link>,
        server: Arc<Inner<H>>,
        member: Option<Member>,
        sleeps: Sleeps,
    ) -> Self {
        let shared = &link.shared;
        let entering = member.as_ref().map(|member| -> Sleep {
            Box::pin(room::wait(member.turn(), Arc::clone(shared), sleeps.clone()))
        });
        let own = Own { tender: Tender::new(Arc::clone(shared), sleeps), entering };
        Self { handling: None, server, driver: Driver::new(link), member, own: Some(Box::new(own)) }
    }

    pub(crate) fn link(&self) -> &Arc<Link> {
        self.driver.link()
    }
}

impl Own {
    /// Waits for a place. An error if there will be none.
    fn poll(
        &mut self,
        link: &Arc<Link>,
        member: Option<&Member>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Ended>> {
        let Some(member) = member else {
            return Poll::Ready(Err(Ended::limit(link.shared.exceeded(Told::LeaveIdle))));
        };
        if let Some(entering) = &mut self.entering {
            let entered = entering.as_mut().poll(cx);
            if link.shared.is_draining() {
                return Poll::Ready(Err(Ended::SHUTDOWN));
            }
            ready!(entered);
            member.begin(link);
            self.entering = None;
        }
        self.tender.poll(cx);
        Poll::Ready(Ok(()))
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
        if let Some(own) = this.own {
            if let Err(ended) = ready!(own.poll(link, this.member.as_ref(), cx)) {
                link.lock().leave(ended.clone());
                return Poll::Ready(leave(link, this.member, ended));
            }
        }
        link.lock().begin(link, cx, beside(handling.as_deref()));
        loop {
            if let Some(handling) = handling {
                handling.as_mut().poll(link, cx);
            }
            let beside = beside(handling.as_deref());
            // The lock is released before a handler is called, polled or dropped.
            let turned = link.lock().turn(link, cx, beside);
            match turned {
                Turned::Request(exchange) => start(link, &this.server.handler, exchange, handling),
                Turned::Again => {}
                Turned::Late(mut late) => {
                    late.target = handling.as_deref().and_then(Handling::target);
                    link.shared.note_late(*late);
                }
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
                Turned::Ended(ended) => return Poll::Ready(leave(link, this.member, ended)),
            }
        }
    }
}

/// Tells how the connection ended, and then leaves.
fn leave(link: &Link, member: &mut Option<Member>, ended: Ended) -> Ended {
    link.shared.tell_end(&link.info, &ended);
    drop(member.take());
    ended
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
    /// The target of the request whose handler runs, if it is known.
    fn target(&self) -> Option<String> {
        match self {
            Self::Some { pending: Some(pending), .. } => Some(pending.target()),
            Self::Some { pending: None, .. } | Self::None => None,
        }
    }

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
        f.debug_struct("Run").field("info", &self.link().info).finish_non_exhaustive()
    }
}
