//! Our Close is written: waits for the peer's. RFC 6455 7.1.

use core::time::Duration;

use crate::io::{Ask, Conn};
use crate::since::Since;
use crate::ws::failure::Cause;
use crate::ws::receive::engine::Engine;
use crate::ws::wire::close::Close;
use crate::{Deadline, End, Exceeded, Inbox, Instant, Limit, Outcome};

/// The wait for the peer's Close. What comes before it is discarded: frames of any size and number, in constant memory,
/// without reading their payload.
#[derive(Debug)]
pub(crate) struct Answer {
    sent: Close,
    /// Whose Close came first. The peer's may have arrived behind what was not taken.
    first: End,
    /// It discards.
    engine: Engine,
    time: Duration,
    since: Since,
}

impl Answer {
    pub(super) fn new(mut engine: Engine, sent: Close, first: End) -> Self {
        engine.discard();
        let time = engine.limits.close_time;
        Self { sent, first, engine, time, since: Since::default() }
    }

    /// How the connection ended, once that is known. `is_written`: our Close was taken, and the time runs.
    pub(crate) fn poll(&mut self, inbox: &mut Inbox, now: Instant, is_written: bool) -> Option<Outcome> {
        if is_written {
            self.since.start(now);
        }
        let found = match self.engine.next_close(inbox) {
            Ok(None) if inbox.has_ended() => Err(Cause::EndOfStream),
            // A peer that keeps sending has no look that finds nothing: it has twice the time.
            Ok(None) => {
                let patience = if inbox.is_over() { self.time } else { self.time.saturating_mul(2) };
                let is_over =
                    self.since.is_met(inbox.dry_at(), self.time) || self.since.is_met(Some(now), patience);
                return is_over.then(|| Exceeded::time(Limit::CloseTime, self.time)).map(Outcome::Exceeded);
            }
            Ok(Some(received)) => Ok(received),
            Err(cause) => Err(cause),
        };
        let sent = core::mem::take(&mut self.sent);
        Some(match found {
            Ok(received) => Outcome::Closed { first: self.first, sent, received },
            Err(cause) => cause.into(),
        })
    }

    /// Judges a look at `now` that found nothing. The time begins when our Close is taken.
    pub(crate) fn found_nothing(&mut self, conn: &mut Conn, now: Instant, ask: Ask<'_>) -> bool {
        if !conn.is_written() {
            // A lower layer may hold it back only after it was taken.
            self.since.restart();
            return false;
        }
        let is_over = self.since.is_over(now, self.time);
        if is_over && conn.is_unsent(now, ask) {
            self.since.restart_at(now);
            return false;
        }
        is_over
    }

    pub(crate) fn deadline(&self) -> Option<Deadline> {
        self.since.end(self.time).map(|at| Deadline { at, reason: Limit::CloseTime })
    }
}

impl From<Cause> for Outcome {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Violation(violation) | Cause::NotText(violation) => Self::Violated(violation),
            Cause::Exceeded(exceeded) => Self::Exceeded(exceeded),
            Cause::EndOfStream => Self::EndOfStream,
        }
    }
}
