//! A connection of a server, and the handler that runs on it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::Inner;
use super::answered::IntoAnswered;
use super::members::Member;
use super::report::HandlerEnd;
use super::room::{self, Sleep, Sleeps, Tender};
use super::shed::Told;
use crate::connection::{Beside, Driver, Link, Turned};
use crate::tracing::ExchangeSpan;
use crate::{Ended, Exchange};

/// Serves one connection to its end, one exchange after the other: made by
/// [`Server::connection`](crate::Server::connection). Its result is how the connection ended.
///
/// The handler runs inside this future. Whenever it waits, earlier responses are written first. A panic of the handler is
/// caught: the request gets a 500 and the connection closes. The handler's future has memory of its own, which a
/// connection that waits for a request does not hold.
///
/// # Cancel safety
///
/// Dropping the future closes the connection at once, with [`EndedKind::Cancelled`](crate::EndedKind::Cancelled).
#[must_use = "futures do nothing unless polled"]
pub struct Run<H, F> {
    serving: Serving<H, F>,
    own: Own,
}

/// Serves one connection of an accept loop. It is small: each connection has a task of this size.
pub(super) struct Serving<H, F> {
    // The handler's future is dropped first: it may still decide how the connection ends.
    handling: Option<Pin<Box<Handling<F>>>>,
    server: Arc<Inner<H>>,
    driver: Driver,
}

/// What an accept loop would do for a connection.
struct Own {
    tender: Tender,
    entering: Entering,
    /// The end has been told.
    has_ended: bool,
}

/// How far it is on its way to a place.
enum Entering {
    /// There will be none.
    Refused,
    Queued(Sleep, Member),
    Inside,
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
            span: ExchangeSpan,
        },
    }
}

impl<H, F> Run<H, F> {
    /// One of another accept loop. `member`: `None` if it is not admitted.
    pub(super) fn new(
        link: Arc<Link>,
        server: Arc<Inner<H>>,
        member: Option<Member>,
        sleeps: Sleeps,
    ) -> Self {
        let shared = &link.shared;
        let entering = match member {
            Some(member) => Entering::Queued(
                Box::pin(room::wait(member.turn(), Arc::clone(shared), sleeps.clone())),
                member,
            ),
            None => Entering::Refused,
        };
        let own = Own { tender: Tender::new(Arc::clone(shared), sleeps), entering, has_ended: false };
        Self { serving: Serving::new(link, server), own }
    }
}

impl<H, F> Serving<H, F> {
    /// The connection has a place.
    pub(super) fn new(link: Arc<Link>, server: Arc<Inner<H>>) -> Self {
        Self { handling: None, server, driver: Driver::new(link) }
    }

    fn link(&self) -> &Arc<Link> {
        self.driver.link()
    }
}

/// Tells how the connection ended, and leaves.
fn leave(link: &Arc<Link>, ended: Ended) -> Ended {
    link.report_exchanges();
    link.tell_end(&ended);
    link.leave_place();
    ended
}

impl<H, F> Serving<H, F> {
    /// Ends a connection whose task is dropped.
    fn abandon(&mut self) {
        // What the handler does as it is dropped comes before the end.
        if let Some(mut handling) = self.handling.take() {
            handling.as_mut().clear();
        }
        let mut connection = self.link().lock();
        connection.leave(Ended::CANCELLED);
        connection.observe_loss();
        let ended = connection.ended().cloned().unwrap_or(Ended::CANCELLED);
        drop(connection);
        leave(self.link(), ended);
    }
}

impl<H, F> Drop for Serving<H, F> {
    fn drop(&mut self) {
        if self.link().has_begun() {
            self.abandon();
        }
    }
}

impl Own {
    /// Waits for a place. An error if there will be none.
    fn poll(&mut self, link: &Arc<Link>, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        match &mut self.entering {
            Entering::Refused => {
                return Poll::Ready(Err(Ended::limit(link.shared.exceeded(Told::LeaveIdle))));
            }
            Entering::Queued(turn, _) => {
                let entered = turn.as_mut().poll(cx);
                if link.shared.is_draining() {
                    return Poll::Ready(Err(Ended::SHUTDOWN));
                }
                ready!(entered);
                if let Entering::Queued(_, member) = std::mem::replace(&mut self.entering, Entering::Inside) {
                    link.take_place(member);
                }
            }
            Entering::Inside => {}
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
        let Self { serving, own } = self.get_mut();
        let ended = match ready!(own.poll(serving.link(), cx)) {
            Ok(()) => ready!(serving.poll_end(cx)),
            Err(ended) => {
                serving.link().lock().leave(ended.clone());
                leave(serving.link(), ended)
            }
        };
        own.has_ended = true;
        Poll::Ready(ended)
    }
}

impl<H, F> Drop for Run<H, F> {
    fn drop(&mut self) {
        if !self.own.has_ended {
            self.serving.abandon();
        }
    }
}

impl<H, F> Future for Serving<H, F>
where
    H: Fn(Exchange) -> F,
    F: Future<Output: IntoAnswered>,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut().poll_end(cx).map(drop)
    }
}

impl<H, F> Serving<H, F>
where
    H: Fn(Exchange) -> F,
    F: Future<Output: IntoAnswered>,
{
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        let Self { handling, server, driver } = self;
        let link = driver.link();
        let mut connection = link.lock();
        connection.begin(link, cx, beside(handling.as_deref()));
        let mut begun = Some(connection);
        loop {
            // The lock is released before a handler is called, polled or dropped.
            if let (Beside::Handler, Some(handling)) = (beside(handling.as_deref()), &mut *handling) {
                begun = None;
                handling.as_mut().poll(link, cx);
            }
            let beside = beside(handling.as_deref());
            let mut connection = begun.take().unwrap_or_else(|| link.lock());
            let turned = connection.turn(link, cx, beside);
            let has_ended = connection.observed.has_ended();
            drop(connection);
            if has_ended {
                link.report_exchanges();
            }
            match turned {
                Turned::Request(exchange) => start(link, &server.handler, exchange, handling),
                Turned::Again => {}
                Turned::Late(late) => link.shared.note_late(*late),
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
                Turned::Ended(ended) => return Poll::Ready(leave(link, ended)),
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
    let span = exchange_span(link, &exchange);
    let Ok(future) = catch_unwind(AssertUnwindSafe(|| span.enter(|| handler(exchange)))) else {
        return link.lock().conclude(link, HandlerEnd::Panicked);
    };
    match handling {
        Some(handling) => handling.set(Handling::Some { future, span }),
        None => *handling = Some(Box::pin(Handling::Some { future, span })),
    }
}

/// The span of an exchange whose handler begins.
fn exchange_span(link: &Link, exchange: &Exchange) -> ExchangeSpan {
    if !ExchangeSpan::is_wanted() {
        return ExchangeSpan::none();
    }
    let span = ExchangeSpan::new(&link.span, exchange.id(), Some(exchange.head()), &link.info);
    link.lock().observed.set_span(exchange.id().exchange(), &span);
    span
}

impl<F> Handling<F> {
    /// Drops the handler, if there is one.
    fn clear(mut self: Pin<&mut Self>) -> Option<ExchangeSpan> {
        let HandlingProjection::Some { span, .. } = self.as_mut().project() else { return None };
        let span = span.clone();
        span.enter(|| self.set(Self::None));
        Some(span)
    }

    /// Drops the handler, and concludes its exchange.
    fn end(self: Pin<&mut Self>, link: &Link, outcome: HandlerEnd) {
        let Some(span) = self.clear() else { return };
        if link.shared.settings.observes() || span.is_some() || !matches!(outcome, HandlerEnd::Answered) {
            link.lock().conclude(link, outcome);
        }
    }
}

impl<F: Future<Output: IntoAnswered>> Handling<F> {
    /// Polls the handler, if one runs. After a panic it is not polled again.
    fn poll(mut self: Pin<&mut Self>, link: &Link, cx: &mut Context<'_>) {
        let HandlingProjection::Some { future, span } = self.as_mut().project() else { return };
        let poll = || span.enter(|| future.poll(cx).map(IntoAnswered::into_handler_end));
        let polled = catch_unwind(AssertUnwindSafe(poll));
        if let Poll::Ready(outcome) = polled.unwrap_or(Poll::Ready(HandlerEnd::Panicked)) {
            self.end(link, outcome);
        }
    }
}

impl<H, F> fmt::Debug for Run<H, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("info", &self.serving.link().info).finish_non_exhaustive()
    }
}
