//! Drives states that only receive: between requests, and through the rest of a body.

use std::task::{Context, Poll, ready};

use endwell_core::http::server::{self, Drain, Linger, Next, Refusal};
use endwell_core::{Deadline, Held, Inbox, Step};

use crate::Ended;
use crate::wire::{Link, Wire};

/// A state that only receives, until it becomes something else.
pub(super) trait Receiving: Sized {
    type Next;
    /// Returns the state that waits for more, or what it has become.
    fn advance(self) -> Result<Self, Self::Next>;
    fn inbox(&mut self) -> &mut Inbox;
    fn deadline(&self) -> Option<Deadline>;
    /// Restarts the time if it can, because the peer does not have all that was written yet.
    fn wait_for_output(&mut self);
    /// Returns what it becomes when the server stops, if nothing is lost by stopping here.
    fn stop(self) -> Result<Self, Self::Next>;
}

/// What follows the wait between requests.
pub(super) enum Received {
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

    fn wait_for_output(&mut self) {
        self.pause();
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

    /// The body is waited for whatever goes out.
    fn wait_for_output(&mut self) {}

    fn stop(self) -> Result<Self, Self::Next> {
        Ok(self)
    }
}

/// Receives until the state becomes something else. Writes queued output before it waits, and before it takes more
/// input while much output is queued.
pub(super) fn poll_receive<S: Receiving>(
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
            // The task's turn is over, and it will be woken: what has arrived must be seen before time is judged.
            return Poll::Pending;
        }
        let is_late = state.deadline().is_some_and(|deadline| wire.now() >= deadline.at);
        if is_late && wire.is_on_its_way() {
            state.wait_for_output();
            if state.deadline().is_none() {
                // The time begins with the next look.
                continue;
            }
        }
        // The read found nothing: time limits are judged by this.
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

/// Runs one transition of a held state. Returns what it has become, if anything.
fn advance<S, N>(held: &mut Held<S>, transition: impl FnOnce(S) -> Result<S, N>) -> Option<N> {
    held.step(|state| match transition(state) {
        Ok(state) => (Some(state), None),
        Err(next) => (None, Some(next)),
    })
    .flatten()
}
