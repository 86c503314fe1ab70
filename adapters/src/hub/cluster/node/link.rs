//! Whether this node hears the others.

use std::time::{Duration, Instant};

use super::super::bounds::{BARRIER_EVERY, DEAD_AFTER, DEAF_AFTER, SETTLED_AFTER};

/// The way to the bus and back.
///
/// A connection is not enough: its subscription may not work yet, and a bus that hangs says nothing. So a new connection
/// sends itself a barrier until it comes back, and then hears its own leases. A node that hears neither is deaf, and judges
/// no other.
#[derive(Debug)]
pub(super) struct Link {
    state: State,
    /// The connections so far.
    epoch: u64,
    /// When the view was last known to be right, if it may not be now.
    stale_since: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Cut,
    /// The barrier has not come back.
    Subscribing {
        barrier_at: Instant,
    },
    Hearing {
        /// Since when, without a break.
        since: Instant,
        /// When this node last heard itself.
        echo: Instant,
        speech: Speech,
    },
    /// It was hearing.
    Deaf {
        speech: Speech,
    },
}

/// Whether messages go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speech {
    /// Not before another node is heard, or all that there were would be dead.
    Waiting {
        until: Instant,
    },
    Speaking,
}

impl Link {
    pub(super) fn new(now: Instant) -> Self {
        Self { state: State::Cut, epoch: 0, stale_since: Some(now) }
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    pub(super) fn stale_since(&self) -> Option<Instant> {
        self.stale_since
    }

    pub(super) fn is_cut(&self) -> bool {
        self.state == State::Cut
    }

    pub(super) fn connected(&mut self, now: Instant) {
        self.epoch += 1;
        self.state = State::Subscribing { barrier_at: now };
    }

    /// Returns the last moment at which the view was fresh, if it was until now.
    pub(super) fn cut(&mut self, now: Instant) -> Option<Instant> {
        let since = self.stale(now);
        self.state = State::Cut;
        since
    }

    fn stale(&mut self, now: Instant) -> Option<Instant> {
        let since = match self.state {
            State::Hearing { echo, .. } => echo,
            State::Cut | State::Subscribing { .. } | State::Deaf { .. } => now,
        };
        let is_new = self.stale_since.is_none();
        self.stale_since.get_or_insert(since);
        is_new.then_some(since)
    }

    /// The barrier of this connection is due.
    pub(super) fn barrier_is_due(&self, now: Instant) -> bool {
        matches!(self.state, State::Subscribing { barrier_at } if barrier_at <= now)
    }

    pub(super) fn barrier_sent(&mut self, now: Instant) {
        if let State::Subscribing { barrier_at } = &mut self.state {
            *barrier_at = now + BARRIER_EVERY;
        }
    }

    /// The node heard itself. Returns true if it did not before: then the others are told at once.
    pub(super) fn heard_self(&mut self, epoch: u64, now: Instant) -> bool {
        if epoch != self.epoch {
            return false;
        }
        match &mut self.state {
            State::Cut => false,
            State::Hearing { echo, .. } => {
                *echo = now;
                false
            }
            State::Subscribing { .. } => {
                let speech = Speech::Waiting { until: now + DEAD_AFTER };
                self.state = State::Hearing { since: now, echo: now, speech };
                true
            }
            State::Deaf { speech } => {
                self.state = State::Hearing { since: now, echo: now, speech: *speech };
                true
            }
        }
    }

    /// Another node's lease was heard, so what is sent reaches one at least.
    pub(super) fn heard_other(&mut self) {
        if let State::Hearing { speech, .. } = &mut self.state {
            *speech = Speech::Speaking;
        }
    }

    /// Since when the node hears without a break, if it does.
    pub(super) fn hears_since(&self) -> Option<Instant> {
        match self.state {
            State::Hearing { since, .. } => Some(since),
            State::Cut | State::Subscribing { .. } | State::Deaf { .. } => None,
        }
    }

    /// True once the barrier has come back: leases and changes go out.
    pub(super) fn is_up(&self) -> bool {
        matches!(self.state, State::Hearing { .. } | State::Deaf { .. })
    }

    /// True if messages go out.
    pub(super) fn speaks(&self) -> bool {
        let (State::Hearing { speech, .. } | State::Deaf { speech }) = self.state else { return false };
        speech == Speech::Speaking
    }

    /// Lets time pass. Returns the last moment at which the view was fresh, if it was until now.
    pub(super) fn tick(&mut self, now: Instant) -> Option<Instant> {
        let State::Hearing { echo, speech, .. } = &mut self.state else { return None };
        if matches!(speech, Speech::Waiting { until } if *until <= now) {
            *speech = Speech::Speaking;
        }
        if now.saturating_duration_since(*echo) < DEAF_AFTER {
            return None;
        }
        let speech = *speech;
        let since = self.stale(now);
        self.state = State::Deaf { speech };
        since
    }

    /// True if the view is stale, and the node has heard for so long that it may be right again.
    pub(super) fn may_be_fresh(&self, now: Instant) -> bool {
        let long: fn(Duration) -> bool = |time| time >= SETTLED_AFTER;
        self.stale_since.is_some()
            && self.hears_since().is_some_and(|since| long(now.saturating_duration_since(since)))
    }

    pub(super) fn fresh(&mut self) {
        self.stale_since = None;
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let fresh_at = self.stale_since.and(self.hears_since()).map(|since| since + SETTLED_AFTER);
        match self.state {
            State::Cut | State::Deaf { .. } => None,
            State::Subscribing { barrier_at } => Some(barrier_at),
            State::Hearing { echo, speech, .. } => {
                let deaf_at = echo + DEAF_AFTER;
                let speak_at = match speech {
                    Speech::Waiting { until } => Some(until),
                    Speech::Speaking => None,
                };
                [Some(deaf_at), speak_at, fresh_at].into_iter().flatten().min()
            }
        }
    }
}
