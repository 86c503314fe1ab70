//! What the crates `metrics` and `tracing` are told of a hub: always behind its lock, since what they call is the program's.

#[cfg(feature = "metrics")]
mod counted;
#[cfg(not(feature = "metrics"))]
#[path = "counted_off.rs"]
mod counted;
#[cfg(feature = "tracing")]
mod traced;
#[cfg(not(feature = "tracing"))]
#[path = "traced_off.rs"]
mod traced;

use super::recipients::Audience;
use super::{HubConfig, HubCounts, HubEvent, Receipt};

/// Tells of a hub.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observer {
    /// Whether the hub is counted.
    counts: bool,
}

/// What a change of a hub has to be told.
pub(super) struct Seen {
    events: Vec<HubEvent>,
    /// What is on this node, before and after.
    before: HubCounts,
    after: HubCounts,
}

impl Observer {
    pub(super) fn new(config: &HubConfig) -> Self {
        Self { counts: counted::is_wanted(config) }
    }

    /// True if changes are to be told.
    #[inline]
    pub(super) fn is_wanted(self) -> bool {
        self.counts || traced::is_wanted()
    }

    /// Tells of a change.
    pub(super) fn tell(self, seen: &Seen) {
        seen.events.iter().for_each(traced::tell);
        if self.counts {
            seen.events.iter().for_each(counted::tell);
            counted::changed(seen.before, seen.after);
        }
    }

    /// Tells of a message that was sent.
    #[inline]
    pub(super) fn sent(self, audience: Audience<'_>) {
        if self.counts {
            counted::sent(audience);
        }
    }

    /// Tells what became of a message for the receivers in `receipt`.
    #[inline]
    pub(super) fn delivered(self, receipt: &Receipt) {
        if self.counts {
            counted::delivered(receipt);
        }
    }
}

impl Seen {
    pub(super) fn new(events: Vec<HubEvent>, before: HubCounts, after: HubCounts) -> Self {
        Self { events, before, after }
    }
}
