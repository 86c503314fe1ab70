//! The driver of one connection: written once, for every runtime.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use endwell_core::http::server::{self, Abandoned, After, Closed, Drain, Linger, Next, Refusal};
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::CloseCode;
use endwell_core::{Deadline, Held, Inbox, Step};

use crate::conclusion::Conclusion;
use crate::wire::{Link, Outcome, Wire};
use crate::{Ended, Exchange, date, scratch};

/// Where a connection is when no handler has it.
enum Connection {
    Between(server::Server),
    Drain(Drain),
    Linger(Linger, Ended),
    Ended(Ended),
}

/// Serves one connection to its end.
pub(crate) async fn run<F>(link: &Arc<Link>, server: server::Server, handler: impl Fn(Exchange) -> F) -> Ended
where
    F: Future<Output: Conclusion>,
{
    let mut connection = Connection::Between(server);
    loop {
        connection = match connection {
            Connection::Between(server) => match next(link, server).await {
                Ok(exchange) => {
                    // The handler is called inside the future, so that its panic is caught with the rest.
                    handle(link, async { handler(exchange).await }).await
                }
                Err(connection) => connection,
            },
            Connection::Drain(drain) => match receive(link, drain).await {
                Ok(Ok(server)) => Connection::Between(server),
                Ok(Err(linger)) => Connection::Linger(linger, Ended::Announced),
                Err(ended) => Connection::Ended(ended),
            },
            Connection::Linger(linger, ended) => {
                close(link, linger).await;
                Connection::Ended(ended)
            }
            Connection::Ended(ended) => {
                link.lock().end(ended.clone());
                return ended;
            }
        };
    }
}

/// Waits for the next request.
async fn next(link: &Arc<Link>, server: server::Server) -> Result<Exchange, Connection> {
    let received = match receive(link, server).await {
        Ok(received) => received,
        Err(ended) => return Err(Connection::Ended(ended)),
    };
    match received {
        Received::Next(Next::Exchange(exchange)) => open(link, exchange),
        Received::Next(Next::Closed(closed)) => {
            // The peer says no more, and may still read its last response.
            let ended = match closed {
                Closed::ByPeer => Ended::ByPeer,
                Closed::Silent(exceeded) => exceeded.into(),
            };
            Err(Connection::Ended(write_out(link).await.err().unwrap_or(ended)))
        }
        Received::Refused(refusal) => {
            link.hub.counters.refused.add();
            let ended = refusal.error().clone().into();
            let linger = refusal.write(date::now().as_ref(), &mut link.lock().out);
            Err(Connection::Linger(linger, ended))
        }
        Received::Stopped(server) => Err(Connection::Linger(server.close(), Ended::Shutdown)),
    }
}

/// Writes what is queued.
async fn write_out(link: &Link) -> Result<(), Ended> {
    std::future::poll_fn(|cx| {
        let mut wire = link.lock();
        wire.begin(cx);
        let polled = loop {
            if link.hub.is_cut() {
                break Poll::Ready(Err(Ended::Shutdown));
            }
            let written = wire.poll_write_out(cx);
            if written.is_ready() || wire.poll_deadline(cx, None).is_pending() {
                break written;
            }
        };
        if polled.is_pending() {
            wire.rest(&link.hub, None);
        }
        polled
    })
    .await
}

/// Makes the handler's exchange, unless the connections together hold too much.
fn open(link: &Arc<Link>, exchange: server::Exchange) -> Result<Exchange, Connection> {
    let mut wire = link.lock();
    let server::Exchange { head, expect, recv, mut send } = exchange;
    if link.hub.is_overloaded() {
        link.hub.counters.overloaded.add();
        send.close();
        let head = Head::new(StatusCode::SERVICE_UNAVAILABLE);
        let finished = send.respond(&head, Bytes::new(), date::now().as_ref(), &recv, &mut wire.out);
        return Err(after(recv.after(finished), Ended::Announced));
    }
    link.hub.counters.exchanges.add();
    let number = wire.open(recv);
    drop(wire);
    Ok(Exchange::new(Arc::clone(link), number, head, expect, send))
}

/// Runs a handler to its end. What is queued is written whenever it waits, also for work of its own.
async fn handle<F: Future<Output: Conclusion>>(link: &Arc<Link>, handling: F) -> Connection {
    {
        let mut handling = pin!(handling);
        let concluded = std::future::poll_fn(|cx| {
            if link.hub.is_cut() {
                return Poll::Ready(Err(Ended::Shutdown));
            }
            link.lock().begin(cx);
            // The handler is not polled again after a panic, and what it holds is dropped by it.
            match catch_unwind(AssertUnwindSafe(|| handling.as_mut().poll(cx).is_ready())) {
                Ok(true) => Poll::Ready(Ok(())),
                Ok(false) => rest(link, &mut link.lock(), cx),
                Err(_) => {
                    link.hub.counters.panicked.add();
                    Poll::Ready(Ok(()))
                }
            }
        });
        if let Err(ended) = concluded.await {
            return Connection::Ended(ended);
        }
    }
    match settled(link).await {
        Ok(outcome) => conclude(link, outcome),
        Err(ended) => Connection::Ended(ended),
    }
}

/// The handler waits: the driver does its part and waits too.
fn rest<R>(link: &Link, wire: &mut Wire, cx: &mut Context<'_>) -> Poll<R> {
    if link.hub.is_draining() {
        wire.close_socket(CloseCode::GOING_AWAY.into());
    }
    if wire.poll_while_handling(cx).is_ready() {
        cx.waker().wake_by_ref();
    }
    wire.rest(&link.hub, None);
    Poll::Pending
}

/// Waits until the rights of the exchange are used up: a handler may have given them to another task.
async fn settled(link: &Link) -> Result<Outcome, Ended> {
    std::future::poll_fn(|cx| {
        let mut wire = link.lock();
        match (wire.take_outcome(), wire.ended()) {
            (Outcome::Open, Some(ended)) => return Poll::Ready(Err(ended.clone())),
            (Outcome::Open, None) if link.hub.is_cut() => return Poll::Ready(Err(Ended::Shutdown)),
            (Outcome::Open, None) => wire.begin(cx),
            (outcome, _) => return Poll::Ready(Ok(outcome)),
        }
        // Under the same lock: what becomes of the exchange from here on wakes this task.
        rest(link, &mut wire, cx)
    })
    .await
}

/// What a connection becomes after a handler.
fn conclude(link: &Link, outcome: Outcome) -> Connection {
    let mut wire = link.lock();
    if let Some(ended) = wire.ended() {
        return Connection::Ended(ended.clone());
    }
    match outcome {
        Outcome::Answered(next) => after(next, Ended::Announced),
        Outcome::Cut(abandoned) => {
            link.hub.counters.aborted.add();
            match abandoned {
                Abandoned::Linger(linger) => Connection::Linger(linger, Ended::Aborted),
                Abandoned::Reset => {
                    wire.reset();
                    Connection::Ended(Ended::Aborted)
                }
            }
        }
        Outcome::Dropped(mut send) => {
            let Some(recv) = wire.recv.take() else { return Connection::Ended(Ended::Unanswered) };
            link.hub.counters.unanswered.add();
            send.close();
            let head = Head::new(wire.fallback);
            let finished = send.respond(&head, Bytes::new(), date::now().as_ref(), &recv, &mut wire.out);
            after(recv.after(finished), Ended::Unanswered)
        }
        Outcome::Ended(ended) => Connection::Ended(ended),
        Outcome::Open => Connection::Ended(Ended::Unanswered),
    }
}

fn after(next: After, ended: Ended) -> Connection {
    match next {
        After::Again(server) => Connection::Between(server),
        After::Drain(drain) => Connection::Drain(drain),
        After::Linger(linger) => Connection::Linger(linger, ended),
    }
}

/// A state that only receives, until it becomes something else.
trait Receiving: Sized {
    type Next;
    /// The state that waits for more, or what it has become.
    fn advance(self) -> Result<Self, Self::Next>;
    fn inbox(&mut self) -> &mut Inbox;
    fn deadline(&self) -> Option<Deadline>;
    /// What it becomes when the server stops, if nothing is lost by stopping here.
    fn stop(self) -> Result<Self, Self::Next>;
}

/// What comes after waiting between requests.
enum Received {
    Next(Next),
    Refused(Refusal),
    /// The server stops, and no request had begun to arrive.
    Stopped(server::Server),
}

impl Receiving for server::Server {
    type Next = Received;

    fn advance(self) -> Result<Self, Received> {
        match self.poll() {
            Ok(Step::Wait(server)) => Ok(server),
            Ok(Step::Done(next)) => Err(Received::Next(next)),
            Err(refusal) => Err(Received::Refused(refusal)),
        }
    }

    fn inbox(&mut self) -> &mut Inbox {
        self.inbox()
    }

    fn deadline(&self) -> Option<Deadline> {
        self.deadline()
    }

    fn stop(self) -> Result<Self, Received> {
        if self.is_idle() { Err(Received::Stopped(self)) } else { Ok(self) }
    }
}

impl Receiving for Drain {
    type Next = Result<server::Server, Linger>;

    fn advance(self) -> Result<Self, Self::Next> {
        match self.poll() {
            Ok(Step::Wait(drain)) => Ok(drain),
            Ok(Step::Done(server)) => Err(Ok(server)),
            Err(linger) => Err(Err(linger)),
        }
    }

    fn inbox(&mut self) -> &mut Inbox {
        self.inbox()
    }

    fn deadline(&self) -> Option<Deadline> {
        self.deadline()
    }

    fn stop(self) -> Result<Self, Self::Next> {
        Ok(self)
    }
}

/// Receives until the state becomes something else. Writes what is queued before it waits, and before it takes
/// anything further while much is queued.
async fn receive<S: Receiving>(link: &Link, state: S) -> Result<S::Next, Ended> {
    let mut held = Held::new(state);
    std::future::poll_fn(|cx| {
        let mut wire = link.lock();
        wire.begin(cx);
        let polled = poll_receive(link, &mut wire, &mut held, cx);
        if polled.is_pending() {
            wire.rest(&link.hub, held.as_mut().map(Receiving::inbox));
        }
        polled
    })
    .await
}

fn poll_receive<S: Receiving>(
    link: &Link,
    wire: &mut Wire,
    held: &mut Held<S>,
    cx: &mut Context<'_>,
) -> Poll<Result<S::Next, Ended>> {
    loop {
        if link.hub.is_cut() {
            return Poll::Ready(Err(Ended::Shutdown));
        }
        while wire.out.is_above_high_water() {
            match wire.poll_write_out(cx) {
                Poll::Ready(written) => written?,
                Poll::Pending => match wire.poll_deadline(cx, None) {
                    Poll::Ready(()) => {}
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
        if let Some(next) = advance(held, S::advance) {
            return Poll::Ready(Ok(next));
        }
        if let Poll::Ready(Err(ended)) = wire.poll_write_out(cx) {
            return Poll::Ready(Err(ended));
        }
        let Some(state) = held.as_mut() else { return Poll::Pending };
        if let Poll::Ready(filled) = wire.poll_fill(cx, state.inbox()) {
            filled?;
            continue;
        }
        if !wire.has_looked() {
            // The task's turn is over, and it will be woken: whatever is there must be seen before time is judged.
            return Poll::Pending;
        }
        // Nothing was there: this is what limits of time are judged by.
        if let Some(next) = advance(held, S::advance) {
            return Poll::Ready(Ok(next));
        }
        if link.hub.is_draining() {
            if let Some(next) = advance(held, S::stop) {
                return Poll::Ready(Ok(next));
            }
        }
        ready!(wire.poll_deadline(cx, held.as_ref().and_then(Receiving::deadline)));
    }
}

/// One transition of a held state. Something: what it has become.
fn advance<S, N>(held: &mut Held<S>, transition: impl FnOnce(S) -> Result<S, N>) -> Option<N> {
    held.step(|state| match transition(state) {
        Ok(state) => (Some(state), None),
        Err(next) => (None, Some(next)),
    })
    .flatten()
}

/// Writes the last bytes, ends the write side, and waits for the peer to close. Whatever fails on the way, the
/// connection is over: there is nobody to tell.
async fn close(link: &Link, linger: Linger) {
    let mut held = Held::new(linger);
    let mut last = Last::Bytes;
    std::future::poll_fn(|cx| {
        let mut wire = link.lock();
        wire.begin(cx);
        let polled = poll_close(link, &mut wire, &mut held, &mut last, cx);
        if polled.is_pending() {
            wire.rest(&link.hub, held.as_mut().map(Linger::inbox));
        }
        polled
    })
    .await;
}

/// What is still to be sent.
enum Last {
    Bytes,
    EndOfStream,
    Nothing,
}

fn poll_close(
    link: &Link,
    wire: &mut Wire,
    held: &mut Held<Linger>,
    last: &mut Last,
    cx: &mut Context<'_>,
) -> Poll<()> {
    loop {
        if link.hub.is_cut() {
            return Poll::Ready(());
        }
        let sent = match last {
            Last::Bytes => wire.poll_write_out(cx).map(|written| written.map(|()| Last::EndOfStream)),
            Last::EndOfStream => wire.poll_end_write(cx).map(|ended| ended.map(|()| Last::Nothing)),
            Last::Nothing => Poll::Pending,
        };
        match sent {
            Poll::Ready(Ok(next)) => {
                *last = next;
                continue;
            }
            Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Pending => {}
        }
        let now = wire.now();
        let done = held.step(|mut linger| match last {
            // The time that the peer has runs from our last byte. Until then it may have to be read from, or it
            // would never come to read.
            Last::Bytes | Last::EndOfStream => {
                linger.discard();
                (Some(linger), false)
            }
            Last::Nothing => match linger.poll(now) {
                Step::Wait(linger) => (Some(linger), false),
                Step::Done(()) => (None, true),
            },
        });
        let Some(linger) = held.as_mut().filter(|_| done == Some(false)) else { return Poll::Ready(()) };
        if !linger.inbox().has_ended() {
            if let Poll::Ready(filled) = wire.poll_fill(cx, linger.inbox()) {
                if filled.is_err() {
                    return Poll::Ready(());
                }
                linger.discard();
                scratch::reclaim_room(linger.inbox());
                continue;
            }
        }
        ready!(wire.poll_deadline(cx, held.as_ref().and_then(Linger::deadline)));
    }
}
