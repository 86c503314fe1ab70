//! Looks at the transport for what has arrived.

use std::cell::RefCell;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use endwell_core::{Arrived, Instant, Look};

use super::{Connection, State};
use crate::transport::Truncated;
use crate::{Ended, scratch};

/// Whether more can be read in this turn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looked {
    /// More may be there.
    No,
    /// The last read found nothing. It was waited for, or not.
    Nothing(Waits),
    /// Nothing more fits until something is taken.
    Full,
    /// The runtime cut the turn short, and will wake the task.
    Late,
}

impl Looked {
    /// True if another look in this turn would tell nothing new.
    pub(crate) fn settles(self, waits: Waits) -> bool {
        match self {
            Self::No => false,
            Self::Nothing(waited) => waited == Waits::Yes || waits == Waits::No,
            Self::Full | Self::Late => true,
        }
    }
}

/// Whether the application waits for the peer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waits {
    Yes,
    No,
}

/// Why a look said nothing.
enum NoLook {
    /// The runtime cut the turn short: time is not judged.
    Late,
    Failed(Ended),
}

/// The time between two questions whether the connection has failed. A system notices a peer that is not there within two
/// minutes.
const ASK_AGAIN: Duration = Duration::from_secs(10);

impl Connection {
    /// Looks once. Ready if the state has something new to tell. If pending, the time was judged if the application
    /// waits, and no time runs if it does not.
    pub(crate) fn poll_look(&mut self, cx: &mut Context<'_>, waits: Waits) -> Poll<Result<(), Ended>> {
        if self.truncated.is_some() && self.misses_something(waits) {
            return Poll::Ready(Err(self.truncated.take().map_or(Ended::BY_PEER, |ended| *ended)));
        }
        if self.withheld {
            return self.look_away();
        }
        let now = self.now;
        let Self { state, transport, .. } = self;
        let Some(mut io) = state.io() else {
            self.looked = Looked::Full;
            return Poll::Pending;
        };
        let transport = RefCell::new(super::open(transport).map_err(Ended::transport)?);
        let had_ended = io.has_ended();
        if !had_ended {
            scratch::lend_room(&mut io);
        }
        let unacknowledged = || transport.try_borrow().ok().and_then(|transport| transport.unacknowledged());
        let (mut cut, mut len) = (None, 0);
        let look = |room: &mut [u8]| {
            let mut transport = transport.borrow_mut();
            loop {
                return match transport.poll_read(cx, room) {
                    Poll::Ready(Ok(0)) => Ok(Look::End),
                    Poll::Ready(Ok(read)) => {
                        len = read;
                        Ok(Look::Bytes(read))
                    }
                    Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Poll::Ready(Err(error)) if Truncated::is(&error) => {
                        cut = Some(error);
                        Ok(Look::Cut)
                    }
                    Poll::Ready(Err(error)) => Err(NoLook::Failed(Ended::transport(error))),
                    Poll::Pending if transport.found_nothing() => Ok(Look::Nothing),
                    Poll::Pending => Err(NoLook::Late),
                };
            }
        };
        let mut io = io.unacknowledged(&unacknowledged);
        let arrived = match waits {
            Waits::Yes => io.read(now, look),
            Waits::No => io.read_ahead(now, look),
        };
        if io.has_ended() && !had_ended {
            // Nothing more will be read, and the state may be over.
            scratch::reclaim_room(&mut io);
            self.notes_end_of_stream(now);
        }
        self.work.spend(len);
        self.observed.received(len);
        self.read_deadline = None;
        match arrived {
            Ok(Arrived::Something) => {
                self.life.heard(now);
                Poll::Ready(Ok(()))
            }
            // A state that misses nothing treats it as the end. Any other is asked first what it has.
            Ok(Arrived::Cut) => {
                if let Some(error) = cut {
                    self.truncated = Some(Ended::transport(error).into());
                }
                Poll::Ready(Ok(()))
            }
            Ok(Arrived::Nothing(deadline)) => {
                self.looked = Looked::Nothing(waits);
                self.read_deadline = deadline.map(|deadline| deadline.at);
                Poll::Pending
            }
            Ok(Arrived::Full) => {
                self.looked = Looked::Full;
                Poll::Pending
            }
            Err(NoLook::Late) => {
                self.looked = Looked::Late;
                Poll::Pending
            }
            Err(NoLook::Failed(ended)) => Poll::Ready(Err(ended)),
        }
    }

    /// Ends a connection that has failed without a read that tells it. True if it did.
    pub(crate) fn judge_failure(&mut self) -> bool {
        let transport = if self.is_blind() { self.transport.as_ref() } else { None };
        let Some(error) = transport.and_then(|transport| transport.take_error()) else { return false };
        self.end(Ended::transport(error));
        true
    }

    /// When to ask again whether the connection has failed.
    pub(crate) fn failure_asked_at(&mut self) -> Option<Instant> {
        self.is_blind().then(|| self.now.saturating_add(ASK_AGAIN))
    }

    /// True while no read would tell of a failure: the peer has ended its side, or nothing more fits.
    fn is_blind(&mut self) -> bool {
        self.looked == Looked::Full || self.state.io().is_some_and(|io| io.has_ended())
    }

    /// The stream broke off, and the state was asked since. True if bytes are missing, or a task waits for the end.
    fn misses_something(&self, waits: Waits) -> bool {
        let is_missed = waits == Waits::Yes || self.waiters.are_watching();
        is_missed && !matches!(self.state, State::Closing(_) | State::Over(_) | State::Taken)
    }
}
