//! The names of connections.

use std::fmt;

use super::registry::Slot;

/// Names a connection of a [`Hub`](super::Hub). It is never reused: the key of a connection that has left names nothing.
///
/// Keys are ordered as the connections joined.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionKey {
    /// How many had joined, with this one.
    pub(super) number: u64,
    /// Where it is while it is a member.
    pub(super) slot: Slot,
}

impl fmt::Display for ConnectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number.fmt(f)
    }
}

impl fmt::Debug for ConnectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionKey({self})")
    }
}
