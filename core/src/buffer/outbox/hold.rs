//! Holds a final response back until the peer has read the 100 Continue before it.

use bytes::Buf;
use core::time::Duration;

use super::Outbox;
use crate::{Deadline, Instant, Limit, convert};

/// A position in the output that is held back for a while.
pub(super) struct Hold {
    /// The number of bytes written before it.
    at: u64,
    time: Duration,
    /// When all bytes before it had been sent.
    since: Option<Instant>,
}

impl Hold {
    /// The number of bytes that may still be sent, after `sent` bytes.
    pub(super) fn before(&self, sent: u64) -> usize {
        convert::usize_from(self.at.saturating_sub(sent))
    }

    /// When the hold ends.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        let end =
            |since: Instant| Deadline { at: since.saturating_add(self.time), reason: Limit::ContinueTime };
        self.since.map(end)
    }
}

impl Outbox {
    /// True if all queued bytes must wait: they are a final response, and the 100 Continue before it has been sent.
    ///
    /// Some proxies lose a final response that they read together with the 100. So the response waits until something
    /// [arrives](Self::arrived), for [`HttpLimits::continue_time`](crate::http::HttpLimits::continue_time) at the most. Until
    /// then [`chunks`](Self::chunks) is empty and [`remaining`](Buf::remaining) is zero, although the outbox is not
    /// empty. Call [`poll`](Self::poll) then, and again at its [`deadline`](Self::deadline).
    pub(crate) fn is_held(&self) -> bool {
        self.len > 0 && self.remaining() == 0
    }

    /// Ends the [hold](Self::is_held), because bytes or the end of the stream have arrived: the peer has read the 100.
    /// Returns true if bytes were held.
    pub(crate) fn arrived(&mut self) -> bool {
        let held = self.is_held();
        if held {
            self.hold = None;
        }
        held
    }

    /// Holds back what is appended from now on, for at most `time`.
    pub(crate) fn hold(&mut self, time: Duration) {
        let at = self.sent.saturating_add(convert::u64_from(self.len));
        self.hold = Some(Hold { at, time, since: None }.into());
    }

    /// Ends the hold if its time is over.
    pub(super) fn poll_hold(&mut self, now: Instant) {
        if let Some(hold) = &mut self.hold {
            let since = *hold.since.get_or_insert(now);
            if now >= since.saturating_add(hold.time) {
                self.hold = None;
            }
        }
    }
}
