//! What is known of the connection.

use std::fmt;
use std::sync::Arc;

use crate::shared::Shared;

/// Watches the connection to NATS after the hub has taken [`Nats`](crate::Nats): for a health check, or metrics.
#[derive(Clone)]
pub struct NatsMonitor {
    shared: Arc<Shared>,
}

impl NatsMonitor {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Returns the state of this moment.
    pub fn status(&self) -> NatsStatus {
        self.shared.status()
    }
}

impl fmt::Debug for NatsMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsMonitor").field("status", &self.status()).finish()
    }
}

/// The state of the connection to NATS: [`NatsMonitor::status`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NatsStatus {
    /// Whether there is a connection.
    pub is_connected: bool,
    /// The connections so far, this one included.
    pub connections: u64,
    /// The messages that were given to the client of NATS. It says nothing of who received them.
    pub sent: u64,
    /// The messages of the hub that NATS can never take, as they are larger than its `max_payload`.
    pub unsendable: u64,
    /// The messages that came, those of this program included.
    pub received: u64,
    /// Those of them that were dropped because the hub was too far behind: 64 Ki messages or 16 MiB.
    pub overflowed: u64,
    /// Why there is no connection, or what the server last complained of.
    pub error: Option<String>,
}
