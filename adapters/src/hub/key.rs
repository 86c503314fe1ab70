//! The names of connections.

use std::fmt;

use super::registry::Slot;

/// Names a connection of a [`Hub`](super::Hub), on this node or on another one. It is never reused: the key of a
/// connection that has left names nothing.
///
/// The keys of this node are ordered as the connections joined. A key is this program's: another node has another key
/// for the same connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionKey {
    /// The node that it is on. In a message between nodes, that of the sender.
    pub(super) node: NodeIndex,
    /// How many had joined, with this one.
    pub(super) number: u64,
    /// Where it is while it is a member.
    pub(super) slot: Slot,
}

/// Numbers the nodes that this one has met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NodeIndex(u32);

impl NodeIndex {
    /// This node.
    pub(super) const HERE: Self = Self(0);

    /// The node at a place among the others.
    #[cfg(feature = "cluster")]
    pub(super) fn other(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX - 1) + 1)
    }

    /// Its place among the others; `None` for this node.
    #[cfg(feature = "cluster")]
    pub(super) fn among_others(self) -> Option<usize> {
        usize::try_from(self.0.checked_sub(1)?).ok()
    }
}

impl ConnectionKey {
    pub(super) fn here(number: u64, slot: Slot) -> Self {
        Self { node: NodeIndex::HERE, number, slot }
    }

    /// The same numbers on another node, or here.
    #[cfg(feature = "cluster")]
    pub(super) fn on(self, node: NodeIndex) -> Self {
        Self { node, ..self }
    }

    /// True if the connection is, or was, one of this node.
    pub fn is_here(self) -> bool {
        self.node == NodeIndex::HERE
    }
}

/// The number of the connection. Behind it, if it is on another node, `@` and the number of that.
impl fmt::Display for ConnectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number.fmt(f)?;
        if self.is_here() { Ok(()) } else { write!(f, "@{}", self.node.0) }
    }
}

impl fmt::Debug for ConnectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionKey({self})")
    }
}
