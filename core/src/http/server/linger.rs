//! The last bytes out, then the close.

use alloc::boxed::Box;
use alloc::sync::Arc;

use crate::http::Limits;
use crate::{Deadline, Inbox, Instant, Limit, Step};

/// A connection that has said its last word and closes so that the peer gets it.
///
/// Closing while the peer still sends makes the system reset the connection, and a reset can destroy what the
/// peer has not read yet. So: write all that is queued, end the write side, then read and throw away until the
/// peer closes too, for [`Limits::linger_time`] at the most. RFC 9112 9.6.
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

    /// Where received bytes go, to be thrown away.
    pub fn inbox(&mut self) -> &mut Inbox {
        &mut self.inbox
    }

    /// Throws away what arrived while the last bytes are still being written.
    pub fn discard(&mut self) {
        self.inbox.discard();
    }

    /// Throws away what arrived. Done when the peer has closed or the time is over: then close.
    ///
    /// Call it first when everything is written and the write side has ended: the time runs from there, and
    /// runs whether bytes arrive or not.
    pub fn poll(mut self, now: Instant) -> Step<Self, ()> {
        self.inbox.discard();
        let since = *self.since.get_or_insert(now);
        if self.inbox.is_over() || now >= since.saturating_add(self.limits.linger_time) {
            return Step::Done(());
        }
        Step::Wait(self)
    }

    /// The peer has not got all at `now` and still takes it ([`Outbox::is_on_its_way`](crate::Outbox::is_on_its_way)): its
    /// time begins again.
    pub fn extend(&mut self, now: Instant) {
        self.since = Some(now);
    }

    /// When to poll again though nothing arrived.
    pub fn deadline(&self) -> Option<Deadline> {
        let since = self.since?;
        Some(Deadline { at: since.saturating_add(self.limits.linger_time), reason: Limit::LingerTime })
    }
}
