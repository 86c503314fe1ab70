//! What carries messages between nodes.

use std::task::{Context, Poll};

use super::node::{Publication, Refused};
use crate::Bytes;

/// A bus between nodes, as one node has it: NATS, another one, or [`InProcess`](super::in_process::InProcess).
///
/// It hands what one node publishes to all that are connected at that moment, the publisher too, and may lose, repeat and
/// reorder it: the nodes count, ask and put in order. It never waits to take a message, so that a slow bus holds up no
/// connection. It reconnects by itself.
pub(in crate::hub) trait Backplane: Send {
    /// The next thing that happened. Each connection begins with [`BusEvent::Connected`].
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<BusEvent>;

    /// Takes a message for all nodes, at once or not at all. One that refuses wakes the task of the last
    /// [`poll`](Self::poll) when it takes more.
    ///
    /// # Errors
    ///
    /// If it takes nothing now.
    fn try_publish(&mut self, publication: Publication<'_>) -> Result<(), Refused>;
}

/// What happened on a bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::hub) enum BusEvent {
    /// There is a new connection, with a subscription to everything below the prefix. It need not work yet.
    Connected,
    /// The connection has gone.
    Cut,
    /// A message arrived.
    Received {
        /// The subject, without the prefix.
        subject: String,
        /// The header `Endwell-Hub`.
        header: Option<String>,
        /// The content.
        payload: Bytes,
    },
}
