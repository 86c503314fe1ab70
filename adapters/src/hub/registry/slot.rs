//! Slots of a slab, in half the room.

use slab::Slab;

/// A slot. There are fewer than 2^32: so many members would take hundreds of gigabytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::hub) struct Slot(u32);

impl Slot {
    pub(in crate::hub) fn new(slot: usize) -> Self {
        Self(u32::try_from(slot).unwrap_or(u32::MAX))
    }

    pub(in crate::hub) fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Makes room for one more. A slab doubles by itself, which would be most of what a member costs; an eighth more at a
/// time moves each value some eight times.
pub(super) fn make_room<T>(slab: &mut Slab<T>) {
    if slab.len() == slab.capacity() {
        slab.reserve_exact(slab.len() / 8 + 1);
    }
}
