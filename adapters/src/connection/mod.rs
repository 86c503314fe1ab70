//! The driver of one connection: written once, for every runtime.

mod close;
mod receive;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use endwell_core::Held;
use endwell_core::http::server::{self, Abandoned, After, Closed, Drain, Linger, Next};
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::CloseCode;
use pin_project_lite::pin_project;

use crate::conclusion::Conclusion;
use crate::wire::{Application, Driving, Link, Outcome, Wire};
use crate::{Ended, Exchange, date};
use close::{Last, poll_close};
use receive::{Received, Receiving, poll_receive};

pin_project! {
    /// Serves one connection to its end: made by [`Server::run`](crate::Server::run).
    ///
    /// Written by hand, since every idle connection pays for it: it holds one state at a time, and the handler's future
    /// takes the place of the others.
    #[must_use = "futures do nothing unless polled"]
    pub struct Run<H, F> {
        // The handler's future is dropped first: it may still decide how the connection ends.
        #[pin]
        state: State<F>,
        handler: H,
        driving: Driving,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Driving { phase: Phase },
        Handling { #[pin] handling: F },
    }
}

/// The phase of a connection while no handler runs.
enum Phase {
    /// Between requests.
    Between(Held<server::Server>),
    /// A handler has ended, and may have passed the rights of its exchange to another task.
    Settling,
    /// The rest of a request's body is discarded.
    Drain(Held<Drain>),
    /// The last bytes are sent, then the connection closes.
    Close(Held<Linger>, Last, Ended),
    /// The peer sends no more, and may still read its last response.
    WriteOut(Ended),
    Ended(Ended),
}

impl Phase {
    fn between(server: server::Server) -> Self {
        Self::Between(Held::new(server))
    }

    fn close(linger: Linger, ended: Ended) -> Self {
        Self::Close(Held::new(linger), Last::Bytes, ended)
    }

    fn after(next: After, ended: Ended) -> Self {
        match next {
            After::Again(server) => Self::between(server),
            After::Drain(drain) => Self::Drain(Held::new(drain)),
            After::Linger(linger) => Self::close(linger, ended),
        }
    }
}

impl<H, F> Run<H, F> {
    pub(crate) fn new(link: Arc<Link>, server: server::Server, handler: H) -> Self {
        let state = State::Driving { phase: Phase::between(server) };
        Self { state, handler, driving: Driving::new(link) }
    }

    pub(crate) fn link(&self) -> &Arc<Link> {
        self.driving.link()
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
        let link = this.driving.link();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Handling { handling } => {
                    State::Driving { phase: ready!(poll_handler(link, handling, cx)) }
                }
                StateProjection::Driving { phase: Phase::Ended(ended) } => {
                    let ended = ended.clone();
                    link.lock().hang_up(ended.clone());
                    return Poll::Ready(ended);
                }
                StateProjection::Driving { phase } => match ready!(poll_phase(link, phase, cx)) {
                    Ok(exchange) => start(link, this.handler, exchange),
                    Err(phase) => State::Driving { phase },
                },
            };
            this.state.set(next);
        }
    }
}

/// Calls the handler. It may panic before it returns a future.
fn start<F>(link: &Link, handler: &impl Fn(Exchange) -> F, exchange: Exchange) -> State<F> {
    if let Ok(handling) = catch_unwind(AssertUnwindSafe(|| handler(exchange))) {
        return State::Handling { handling };
    }
    link.hub.counters.panicked.add();
    State::Driving { phase: Phase::Settling }
}

/// Runs a handler to its end. Whenever the handler waits, also for its own work, queued output is written.
fn poll_handler<F: Future<Output: Conclusion>>(
    link: &Link,
    handling: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<Phase> {
    if link.hub.is_cut() {
        return Poll::Ready(Phase::Ended(Ended::Shutdown));
    }
    link.lock().begin(cx);
    // After a panic the handler is not polled again, and its future is dropped.
    match catch_unwind(AssertUnwindSafe(|| handling.poll(cx).is_ready())) {
        Ok(false) => {
            rest(link, &mut link.lock(), cx);
            return Poll::Pending;
        }
        Ok(true) => {}
        Err(_) => link.hub.counters.panicked.add(),
    }
    Poll::Ready(Phase::Settling)
}

/// Lets the driver work and wait while the handler waits.
fn rest(link: &Link, wire: &mut Wire, cx: &mut Context<'_>) {
    if link.hub.is_draining() {
        wire.close_socket(CloseCode::GOING_AWAY.into());
    }
    if wire.poll_while_handling(cx, Application::Within).is_ready() {
        cx.waker().wake_by_ref();
    }
    wire.rest(&link.hub, None);
}

/// Takes a connection without a handler to its next request, or to its next phase.
fn poll_phase(link: &Arc<Link>, phase: &mut Phase, cx: &mut Context<'_>) -> Poll<Result<Exchange, Phase>> {
    let mut wire = link.lock();
    wire.begin(cx);
    let wire = &mut *wire;
    let polled = match phase {
        Phase::Between(held) => poll_receive(link, wire, held, cx).map(|received| match received {
            Ok(received) => next(link, wire, received),
            Err(ended) => Err(Phase::Ended(ended)),
        }),
        Phase::Drain(held) => poll_receive(link, wire, held, cx).map(|drained| {
            Err(match drained {
                Ok(Ok(server)) => Phase::between(server),
                Ok(Err(linger)) => Phase::close(linger, Ended::Announced),
                Err(ended) => Phase::Ended(ended),
            })
        }),
        Phase::Close(held, last, ended) => {
            poll_close(link, wire, held, last, cx).map(|()| Err(Phase::Ended(ended.clone())))
        }
        Phase::WriteOut(ended) => poll_write_out(link, wire, cx)
            .map(|written| Err(Phase::Ended(written.err().unwrap_or_else(|| ended.clone())))),
        Phase::Settling => poll_settle(link, wire, cx).map(Err),
        Phase::Ended(ended) => Poll::Ready(Err(Phase::Ended(ended.clone()))),
    };
    if polled.is_pending() {
        let inbox = match phase {
            Phase::Between(held) => held.as_mut().map(Receiving::inbox),
            Phase::Drain(held) => held.as_mut().map(Receiving::inbox),
            Phase::Close(held, ..) => held.as_mut().map(Linger::inbox),
            Phase::Settling | Phase::WriteOut(_) | Phase::Ended(_) => None,
        };
        wire.rest(&link.hub, inbox);
    }
    polled
}

/// Handles the end of a wait between requests.
fn next(link: &Arc<Link>, wire: &mut Wire, received: Received) -> Result<Exchange, Phase> {
    match received {
        Received::Next(Next::Exchange(exchange)) => open(link, wire, exchange),
        Received::Next(Next::Closed(Closed::ByPeer)) => Err(Phase::WriteOut(Ended::ByPeer)),
        Received::Next(Next::Closed(Closed::Silent(exceeded))) => Err(Phase::WriteOut(exceeded.into())),
        Received::Refused(refusal) => {
            link.hub.counters.refused.add();
            let ended = refusal.error().clone().into();
            let linger = refusal.write(date::now().as_ref(), &mut wire.out);
            Err(Phase::close(linger, ended))
        }
        Received::Stopped(server) => Err(Phase::close(server.close(), Ended::Shutdown)),
    }
}

/// Makes the handler's exchange, unless the connections together hold too much.
fn open(link: &Arc<Link>, wire: &mut Wire, exchange: server::Exchange) -> Result<Exchange, Phase> {
    let server::Exchange { head, expect, mut recv, mut send } = exchange;
    if link.hub.is_overloaded() {
        link.hub.counters.overloaded.add();
        send.close();
        let head = Head::new(StatusCode::SERVICE_UNAVAILABLE);
        let finished = send.respond(&head, Bytes::new(), date::now().as_ref(), &mut recv, &mut wire.out);
        return Err(Phase::after(recv.after(finished), Ended::Announced));
    }
    link.hub.counters.exchanges.add();
    let number = wire.open(recv);
    Ok(Exchange::new(Arc::clone(link), number, head, expect, send))
}

/// Writes queued output.
fn poll_write_out(link: &Link, wire: &mut Wire, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
    loop {
        if link.hub.is_cut() {
            return Poll::Ready(Err(Ended::Shutdown));
        }
        let written = wire.poll_write_out(cx);
        if written.is_ready() || wire.poll_deadline(cx, None).is_pending() {
            return written;
        }
    }
}

/// Waits until the rights of an exchange are used up. The check and the waker are under one lock.
fn poll_settle(link: &Link, wire: &mut Wire, cx: &mut Context<'_>) -> Poll<Phase> {
    match (wire.take_outcome(), wire.ended()) {
        (Outcome::Open, Some(ended)) => Poll::Ready(Phase::Ended(ended.clone())),
        (Outcome::Open, None) if link.hub.is_cut() => Poll::Ready(Phase::Ended(Ended::Shutdown)),
        (Outcome::Open, None) => {
            rest(link, wire, cx);
            Poll::Pending
        }
        (outcome, _) => Poll::Ready(conclude(link, wire, outcome)),
    }
}

/// Returns the phase of a connection after an exchange.
fn conclude(link: &Link, wire: &mut Wire, outcome: Outcome) -> Phase {
    if let Some(ended) = wire.ended() {
        return Phase::Ended(ended.clone());
    }
    match outcome {
        Outcome::Answered(next) => Phase::after(next, Ended::Announced),
        Outcome::Cut(abandoned) => {
            link.hub.counters.aborted.add();
            match abandoned {
                Abandoned::Linger(linger) => Phase::close(linger, Ended::Aborted),
                Abandoned::Reset => {
                    wire.reset();
                    Phase::Ended(Ended::Aborted)
                }
            }
        }
        Outcome::Dropped(mut send) => {
            let Some(mut recv) = wire.http.take_request() else { return Phase::Ended(Ended::Unanswered) };
            link.hub.counters.unanswered.add();
            send.close();
            let head = Head::new(wire.fallback);
            let finished = send.respond(&head, Bytes::new(), date::now().as_ref(), &mut recv, &mut wire.out);
            Phase::after(recv.after(finished), Ended::Unanswered)
        }
        Outcome::Ended(ended) => Phase::Ended(ended),
        Outcome::Open => Phase::Ended(Ended::Unanswered),
    }
}

impl<H, F> fmt::Debug for Run<H, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("endpoints", &self.link().endpoints).finish_non_exhaustive()
    }
}
