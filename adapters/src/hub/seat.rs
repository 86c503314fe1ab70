//! What a hub keeps of a member, shared with its guard and its connection.

use std::sync::Arc;
use std::task::Wake;

use super::registry::Slot;
use super::shared::Shared;
use super::{ConnectionKey, Departure};
use crate::ws::Outlet;

/// A member's place. As a waker, it is woken at the end of the connection, which then leaves.
pub(super) struct Seat {
    pub(super) shared: Arc<Shared>,
    pub(super) outlet: Outlet,
    // The parts of the key, which would be padded.
    number: u64,
    slot: Slot,
    /// When it joined, in hundredths of a second since the hub began.
    pub(super) since: u32,
}

impl Seat {
    pub(super) fn new(shared: Arc<Shared>, key: ConnectionKey, outlet: Outlet, since: u32) -> Self {
        Self { shared, outlet, number: key.number, slot: key.slot, since }
    }

    pub(super) fn key(&self) -> ConnectionKey {
        ConnectionKey::here(self.number, self.slot)
    }
}

impl Wake for Seat {
    fn wake(self: Arc<Self>) {
        self.shared.leave(self.key(), Departure::Ended);
    }
}

#[cfg(test)]
mod tests {
    use super::Seat;

    #[test]
    fn a_seat_takes_little_room() {
        assert_eq!(size_of::<Seat>(), 32);
    }
}
