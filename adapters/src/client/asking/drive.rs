//! The driver's part of a client's connection.

use std::task::{Context, Poll};

use super::Phase;
use crate::connection::{Connection, State, Waits};
use crate::{Ended, scratch};

impl Connection {
    /// Checks whether the server has left meanwhile, with the driver's waker: what arrives later wakes the driver.
    pub(crate) fn look(&mut self) {
        let (State::Client(_), Some(driver), None) = (&self.state, self.driver.clone(), &self.ended) else {
            return;
        };
        self.now = self.clock();
        let looked = self.poll_look(&mut Context::from_waker(&driver), Waits::Yes);
        if let Some(mut io) = self.state.io().filter(|_| !self.driving) {
            scratch::reclaim_room(&mut io);
        }
        if let Poll::Ready(Err(ended)) = looked {
            return self.end(ended);
        }
        self.advance_asking();
    }

    /// Notes that nothing more can be written. A client keeps reading: the server may have responded before it stopped
    /// reading (RFC 9112 9.5).
    pub(crate) fn write_failed(&mut self, ended: Ended) {
        let sent = self.position().sent;
        let is_answered = match &mut self.state {
            State::Client(asking) if sent > asking.begins => match asking.phase {
                Phase::Waiting(_)
                | Phase::Upgrading(_)
                | Phase::Switching(_)
                | Phase::Head(_)
                | Phase::Body(_) => {
                    asking.write_error.get_or_insert_with(|| ended.clone());
                    // A request that can no longer be sent is not waited for, even if a task still holds the right.
                    asking.change(super::Calling::stop);
                    true
                }
                Phase::Idle(_) | Phase::Opened(..) | Phase::Through(..) | Phase::Failed(_) | Phase::Over => {
                    false
                }
            },
            _ => false,
        };
        if !is_answered {
            return self.end(ended);
        }
        if let Some(mut io) = self.state.io() {
            io.discard_output();
        }
        // Stops waiting for a lower layer too, which may hold bytes back for ever.
        (self.unflushed, self.held_back) = (0, None);
        self.tell_held_back();
    }

    /// Ends a request that has stalled, of whose response nothing has come. True if it did.
    pub(crate) fn judge_stalled(&mut self) -> bool {
        let State::Client(asking) = &self.state else { return false };
        let Some(stalled) = asking.stalled().cloned() else { return false };
        self.end(stalled);
        true
    }

    /// Parses what has arrived, until the head of the response has.
    pub(crate) fn advance_asking(&mut self) {
        let Some(asking) = self.state.asking() else { return };
        if !asking.waits() {
            return;
        }
        let before = asking.interims.len();
        let advanced = asking.advance();
        let has_news = !asking.waits() || asking.interims.len() > before;
        if let Err(ended) = advanced {
            self.end(ended);
        }
        if has_news {
            self.wake_reader();
        }
    }
}
