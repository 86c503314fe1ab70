//! The last phase of every connection.

use alloc::boxed::Box;
use core::time::Duration;

use crate::io::{Ask, Conn, Waits};
use crate::since::Since;
use crate::ws::Answer;
use crate::{Deadline, Instant, Io, Limit, Outcome};

/// A connection on which nothing more is written but what is queued. It always ends in [`Outcome`].
///
/// Closing while the peer still sends makes the system reset the connection, and a reset can destroy data that the peer
/// has not read yet. So everything queued goes out, the write side ends, and what still arrives is discarded until the
/// peer closes too (RFC 9112 9.6), for a limited time: [`http::HttpLimits::linger_time`](crate::http::HttpLimits::linger_time)
/// or [`ws::SocketLimits::close_time`](crate::ws::SocketLimits::close_time).
#[derive(Debug)]
#[must_use = "dropping it closes the connection at once, and the peer may lose the last bytes"]
pub struct Closing(Box<Inner>);

/// What a closing connection wants of its driver.
#[derive(Debug)]
#[must_use = "it holds the connection, or says how the connection ended"]
pub enum Ending {
    /// Write, read, and poll again.
    Wait(Closing),
    /// Everything is written: end the write side of the transport, then go on.
    EndWrite(Closing),
    /// Close the transport.
    Done(Outcome),
    /// Reset the transport: a close would look like the end of a message that was cut off.
    Reset(Outcome),
}

#[derive(Debug)]
struct Inner {
    conn: Conn,
    phase: Phase,
    ended: Outcome,
    manner: Manner,
}

/// How a connection closes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// Ends the write side, then waits for the peer to close.
    First(Grace),
    /// Waits for the peer to close.
    Second(Grace),
    /// Closes as soon as everything is written.
    Now,
    /// Resets at once.
    Reset,
}

/// How long to wait for the peer to close.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grace {
    pub(crate) time: Duration,
    pub(crate) reason: Limit,
}

#[derive(Debug)]
enum Phase {
    /// The peer's Close frame is waited for, while what is queued goes out.
    Answer(Answer),
    /// What is queued goes out. Its time is that of the output.
    Flush,
    /// The peer's end of the stream is waited for.
    Linger { grace: Grace, since: Since },
}

impl Closing {
    pub(crate) fn new(conn: Conn, ended: Outcome, manner: Manner) -> Self {
        Self(Box::new(Inner { conn, phase: Phase::Flush, ended, manner }))
    }

    /// Waits for the peer's Close frame first.
    pub(crate) fn answered(conn: Conn, answer: Answer, manner: Manner) -> Self {
        Self(Box::new(Inner { conn, phase: Phase::Answer(answer), ended: Outcome::Transport, manner }))
    }

    /// The transport's side.
    pub fn io(&mut self) -> Io<'_> {
        Io::new(&mut self.0.conn, &mut self.0.phase)
    }

    /// How the connection ends, if the transport does not fail.
    pub fn ended(&self) -> &Outcome {
        &self.0.ended
    }

    /// Discards what arrived, and tells what comes next.
    pub fn poll(mut self) -> Ending {
        let Inner { conn, phase, manner, ended } = &mut *self.0;
        if let Phase::Answer(answer) = phase {
            let is_written = conn.is_written();
            let Some(found) = answer.poll(&mut conn.inbox, conn.now, is_written) else {
                return Ending::Wait(self);
            };
            if matches!(&found, Outcome::Exceeded(exceeded) if exceeded.limit == Limit::CloseTime) {
                // The peer has had its time.
                *manner = Manner::Now;
            }
            *ended = found;
            *phase = Phase::Flush;
        }
        conn.inbox.discard();
        match (*manner, &mut *phase) {
            (Manner::Reset, _) => return Ending::Reset(self.0.ended),
            (_, Phase::Flush) if !conn.is_written() => {}
            (Manner::Now, _) => return Ending::Done(self.0.ended),
            (Manner::First(_) | Manner::Second(_), _) if conn.inbox.is_over() => {
                return Ending::Done(self.0.ended);
            }
            (Manner::First(grace), Phase::Flush) => {
                *phase = Phase::linger(grace, conn.now);
                return Ending::EndWrite(self);
            }
            (Manner::Second(grace), Phase::Flush) => *phase = Phase::linger(grace, conn.now),
            (_, Phase::Answer(_)) => {}
            (Manner::First(_) | Manner::Second(_), Phase::Linger { grace, since }) => {
                // A peer that keeps sending has no look that finds nothing: it has twice the time.
                let is_over = since.is_met(conn.inbox.dry_at(), grace.time)
                    || since.is_met(Some(conn.now), grace.time.saturating_mul(2));
                if is_over {
                    return Ending::Done(self.0.ended);
                }
            }
        }
        Ending::Wait(self)
    }

    /// Ends after a failure of the transport, and returns how the connection ended.
    pub fn into_ended(self) -> Outcome {
        self.0.ended
    }
}

impl Phase {
    fn linger(grace: Grace, now: Instant) -> Self {
        let mut since = Since::default();
        since.restart_at(now);
        Self::Linger { grace, since }
    }
}

impl Waits for Phase {
    fn found_nothing(&mut self, conn: &mut Conn, now: Instant, ask: Ask<'_>) -> bool {
        let (grace, since) = match self {
            Self::Answer(answer) => return answer.found_nothing(conn, now, ask),
            // All is written: the write side ends, and the peer's time begins.
            Self::Flush => return conn.is_written(),
            Self::Linger { grace, since } => (grace, since),
        };
        if !since.is_over(now, grace.time) {
            return conn.inbox.is_over();
        }
        if conn.is_unsent(now, ask) {
            // The peer still takes the last bytes: it cannot have closed.
            since.restart_at(now);
            return false;
        }
        true
    }

    fn pause(&mut self, _: &mut Conn, _: Instant) {}

    fn outlives_cut(&self) -> bool {
        true
    }

    fn deadline(&self, _: &Conn) -> Option<Deadline> {
        match self {
            Self::Answer(answer) => answer.deadline(),
            Self::Flush => None,
            Self::Linger { grace, since, .. } => {
                since.end(grace.time).map(|at| Deadline { at, reason: grace.reason })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;

    use super::*;
    use crate::{Arrived, Inbox, Look, OutboxLimits, Wrote};

    const GRACE: Grace = Grace { time: Duration::from_secs(2), reason: Limit::LingerTime };

    fn at(seconds: u64) -> Instant {
        Instant::from_epoch(Duration::from_secs(seconds))
    }

    fn closing(manner: Manner, queued: &[u8]) -> Closing {
        let mut conn = Conn::new(Inbox::new(100), OutboxLimits::default());
        conn.outbox.put(queued);
        Closing::new(conn, Outcome::ByUs, manner)
    }

    #[expect(clippy::unnecessary_wraps, reason = "a look can fail")]
    fn nothing(_: &mut [u8]) -> Result<Look, ()> {
        Ok(Look::Nothing)
    }

    fn wait(closing: Closing) -> Closing {
        let Ending::Wait(closing) = closing.poll() else { panic!("it waits") };
        closing
    }

    #[test]
    fn everything_goes_out_then_the_write_side_ends_then_the_peer_has_its_time() {
        let mut closing = wait(closing(Manner::First(GRACE), b"last"));
        assert_eq!(closing.io().read(at(1), nothing), Ok(Arrived::Nothing(None)));
        let wrote = closing.io().write(at(5), |chunks| {
            assert_eq!(chunks.next(), Some(&b"last"[..]));
            Ok::<_, ()>(Some(4))
        });
        assert_eq!(wrote, Ok(Wrote::Something));
        let Ending::EndWrite(closing) = closing.poll() else { panic!("all is written") };
        let mut closing = wait(closing);
        let deadline = Deadline { at: at(7), reason: Limit::LingerTime };
        assert_eq!(closing.io().read(at(5), nothing), Ok(Arrived::Nothing(Some(deadline))));
        let mut closing = wait(closing);
        assert_eq!(closing.io().read(at(7), nothing), Ok(Arrived::Something));
        assert!(matches!(closing.poll(), Ending::Done(Outcome::ByUs)));
    }

    #[test]
    fn a_driver_that_writes_everything_and_reads_then_asks_again() {
        let mut closing = wait(closing(Manner::First(GRACE), b"last"));
        assert_eq!(closing.io().write(at(0), |_| Ok::<_, ()>(Some(4))), Ok(Wrote::Something));
        assert_eq!(closing.io().read(at(0), nothing), Ok(Arrived::Something));
        assert!(matches!(closing.poll(), Ending::EndWrite(_)));
    }

    #[test]
    fn a_peer_that_closes_ends_it_and_one_that_keeps_sending_has_twice_the_time() {
        let mut closing = wait(closing(Manner::Second(GRACE), b""));
        for second in 0..4 {
            assert_eq!(
                closing.io().read(at(second), |_| Ok::<_, ()>(Look::Bytes(9))),
                Ok(Arrived::Something)
            );
            closing = wait(closing);
        }
        assert_eq!(closing.io().read(at(4), |_| Ok::<_, ()>(Look::Bytes(9))), Ok(Arrived::Something));
        assert!(matches!(closing.poll(), Ending::Done(Outcome::ByUs)));

        let mut closing = wait(self::closing(Manner::Second(GRACE), b""));
        assert_eq!(closing.io().read(at(1), |_| Ok::<_, ()>(Look::End)), Ok(Arrived::Something));
        assert!(matches!(closing.poll(), Ending::Done(Outcome::ByUs)));
    }

    #[test]
    fn a_peer_that_still_takes_the_last_bytes_is_waited_for() {
        let mut closing = closing(Manner::First(GRACE), &[0; 1000]);
        assert_eq!(closing.io().write(at(0), |_| Ok::<_, ()>(Some(1000))), Ok(Wrote::Something));
        let Ending::EndWrite(mut closing) = closing.poll() else { panic!("all is written") };
        for (second, left) in [(0, 1000), (2, 900), (4, 500)] {
            let ask = move || Some(left);
            let arrived = closing.io().unacknowledged(&ask).read(at(second), nothing);
            let deadline = Deadline { at: at(second + 2), reason: Limit::LingerTime };
            assert_eq!(arrived, Ok(Arrived::Nothing(Some(deadline))), "{second}");
        }
        assert_eq!(closing.io().unacknowledged(&|| Some(0)).read(at(6), nothing), Ok(Arrived::Something));
    }

    #[test]
    fn a_reset_waits_for_nothing() {
        let closing = Box::new(closing(Manner::Reset, b"queued"));
        assert!(matches!(closing.poll(), Ending::Reset(Outcome::ByUs)));
    }
}
