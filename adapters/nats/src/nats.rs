//! The bus.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use endwell::hub::{Backplane, BusEvent, Publication, Refused};

use crate::NatsMonitor;
use crate::shared::Shared;

/// A connection to NATS, which comes back by itself: the bus of a [`Hub`](endwell::hub::Hub) on many nodes.
///
/// Dropping it ends the connection and its thread, without waiting for them: what it had taken goes out first, within a
/// second.
#[must_use = "dropping it ends the connection"]
pub struct Nats {
    shared: Arc<Shared>,
}

impl Nats {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Returns what shows the state of the connection after the hub has taken this value.
    pub fn monitor(&self) -> NatsMonitor {
        NatsMonitor::new(Arc::clone(&self.shared))
    }
}

impl Backplane for Nats {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<BusEvent> {
        self.shared.poll(cx)
    }

    fn try_publish(&mut self, publication: Publication<'_>) -> Result<(), Refused> {
        self.shared.publish(publication)
    }

    /// Waits until the server has what was taken, or there is no connection.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.shared.poll_flush(cx)
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.shared.end();
    }
}

impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats").field("status", &self.shared.status()).finish()
    }
}
