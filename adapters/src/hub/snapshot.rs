//! What a hub shows of its connections.

use std::sync::Arc;
use std::time::Duration;

use super::ConnectionKey;
use super::shared::Shared;
use crate::Bytes;

/// The numbers of what is in a hub, on all nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubCounts {
    /// The connections.
    pub connections: usize,
    /// The users with a connection.
    pub users: usize,
    /// The topics with a subscriber.
    pub topics: usize,
}

/// A connection that is present.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Present {
    /// The connection.
    pub key: ConnectionKey,
    /// What people call the node that it is on: [`HubConfig::node`](super::HubConfig::node). `None` for this node.
    pub node: Option<Arc<str>>,
    /// Its user, if it has logged in.
    pub user: Option<Arc<str>>,
    /// Its metadata, if any was set.
    pub meta: Option<Bytes>,
}

/// Another node of the cluster: [`Hub::nodes`](super::Hub::nodes).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtherNode {
    /// What people call it: its [`HubConfig::node`](super::HubConfig::node).
    pub name: Arc<str>,
    /// Its connections.
    pub connections: usize,
}

/// What a hub looks like: [`Hub::snapshot`](super::Hub::snapshot).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HubSnapshot {
    /// The counts when it began.
    pub counts: HubCounts,
    /// The connections of this node, in the order in which they joined.
    pub connections: Vec<HubConnection>,
    /// The connections of other nodes, in no order.
    pub elsewhere: Vec<Present>,
    /// The other nodes.
    pub nodes: Vec<OtherNode>,
}

/// A connection in a [`HubSnapshot`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HubConnection {
    /// The connection, its user and its metadata.
    pub present: Present,
    /// Its topics, in no order.
    pub topics: Vec<Arc<str>>,
    /// The time since it joined.
    pub age: Duration,
    /// The time since the peer last sent something, an answer to a ping included. `None` if the connection was at work at
    /// that moment, or has ended.
    pub silent_for: Option<Duration>,
    /// The messages in its queue.
    pub queued_messages: usize,
    /// The bytes of those.
    pub queued_bytes: usize,
}

impl HubSnapshot {
    pub(super) fn take(shared: &Shared) -> Self {
        let (counts, elsewhere, nodes) =
            shared.look(|registry| (registry.counts(), registry.elsewhere(), registry.nodes()));
        let mut connections = Vec::with_capacity(counts.connections);
        shared.each_here(|seat| {
            let slot = seat.key().slot;
            let known = shared.look(|registry| {
                registry.member(seat.key())?;
                Some((registry.present(slot)?, registry.topics_of(slot)))
            });
            // It may have left meanwhile.
            let Some((present, topics)) = known else { return };
            let (queued_messages, queued_bytes) = seat.outlet.queued();
            let (age, silent_for) = (shared.age(seat), seat.outlet.silent_for());
            connections.push(HubConnection {
                present,
                topics,
                age,
                silent_for,
                queued_messages,
                queued_bytes,
            });
        });
        connections.sort_unstable_by_key(|connection| connection.present.key);
        Self { counts, connections, elsewhere, nodes }
    }
}
