//! Sends the last bytes, then closes.

use alloc::boxed::Box;
use alloc::sync::Arc;

use crate::http::Limits;
use crate::{Deadline, Inbox, Instant, Limit, Step};

/// A connection that has written its last bytes and closes so that the peer receives them.
///
/// Closing while the peer still sends makes the system reset the connection, and a reset can destroy data that the peer
/// has not read yet. So write all that is queued, end the write side, then read and discard until the peer closes too,
/// for at most [`Limits::linger_time`]. RFC 9112 9.6.
#[derive(Debug)]
#[must_use = "dropping this closes the connection at once, and the peer may lose the last response"]
pub struct Linger {
    inbox: Box<Inbox>,
    limits: Arc<Limits>,
    since: Option<Instant>,
}

impl Linger {
    pub(super) fn new(inbox: Box<Inbox>, limits: Arc<Limits>) -> Self {
        Self { inbox, limits, since: None }
    }

    /// The inbox for received bytes, which are discarded.
    pub fn inbox(&mut self) -> &mut Inbox {
        &mut self.inbox
    }

    /// Discards what arrived while the last bytes are still being written.
    pub fn discard(&mut self) {
        self.inbox.discard();
    }

    /// Discards what arrived. Done when the peer has closed or the time is over: then close.
    ///
    /// Call it first when everything is written and the write side has ended: the time runs from there, whether bytes
    /// arrive or not.
    pub fn poll(mut self, now: Instant) -> Step<Self, ()> {
        self.inbox.discard();
        let since = *self.since.get_or_insert(now);
        if self.inbox.is_over() || now >= since.saturating_add(self.limits.linger_time) {
            return Step::Done(());
        }
        Step::Wait(self)
    }

    /// Restarts the time at `now`, because the peer has not received everything but still takes it
    /// ([`Outbox::is_on_its_way`](crate::Outbox::is_on_its_way)).
    pub fn extend(&mut self, now: Instant) {
        self.since = Some(now);
    }

    /// When to poll again even if nothing arrives.
    pub fn deadline(&self) -> Option<Deadline> {
        let since = self.since?;
        Some(Deadline { at: since.saturating_add(self.limits.linger_time), reason: Limit::LingerTime })
    }
}
