//! What a node asks of its program.

use std::time::Instant;

use super::super::ConnectionKey;
use super::id::NodeId;
use super::inbound::Incoming;
use super::presence::Change;
use std::sync::Arc;

/// Something to do, or to tell, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::hub) enum Effect {
    /// Hand a message to the members of this node that it is for.
    Deliver {
        /// The node that sent it. `None`: it came from something else on the bus.
        origin: Option<NodeId>,
        /// The message.
        message: Incoming,
        /// Its place in what is kept for those that resume, if it is.
        place: Option<u64>,
    },
    /// This many messages of another node did not come, and will not.
    Lost {
        /// The node that sent them.
        origin: NodeId,
        /// How many, since the last time.
        count: u64,
    },
    /// Another node counted this many of our messages as lost.
    Missed {
        /// The other node.
        by: NodeId,
        /// How many, since the last time.
        count: u64,
    },
    /// Another node is here.
    Up {
        /// The node.
        node: NodeId,
        /// What people call it.
        name: Arc<str>,
    },
    /// A connection of another node changed.
    Changed {
        /// The node.
        node: NodeId,
        /// The connection.
        key: ConnectionKey,
        /// What changed.
        change: Change,
    },
    /// Another node has gone. Its connections have left before this.
    Down {
        /// The node.
        node: NodeId,
        /// Why.
        why: Down,
    },
    /// From now on the view of the other nodes may be old. It stays as it is: while this node does not hear, no other node
    /// is declared dead.
    Stale {
        /// The last moment at which it was fresh.
        since: Instant,
    },
    /// The view of the other nodes is right again.
    Fresh,
    /// Close a connection of this node: its user logged in on another one.
    Replaced {
        /// The connection.
        key: ConnectionKey,
        /// The user.
        user: Arc<str>,
        /// The node of the other connection.
        node: NodeId,
        /// The other connection.
        by: ConnectionKey,
    },
}

/// Why a node has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hub) enum Down {
    /// It said so.
    Ended,
    /// It was not heard for 3.5 s.
    Dead,
}
