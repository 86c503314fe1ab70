//! A connection, as held by its task.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::Link;
use super::drive::{Beside, Turned};
use crate::Ended;

/// Drives a connection to its end, beside the tasks that use it. It is made with the connection, by
/// [`client::Connection::over`](crate::client::Connection::over) and [`ws::Socket::over`](crate::ws::Socket::over), and
/// returns how the connection ended. Spawn it, or join it with the task that uses the connection.
///
/// # Cancel safety
///
/// If it is dropped, the connection closes at once: rights in other tasks would otherwise wait for ever. They receive
/// [`EndedKind::Cancelled`](crate::EndedKind::Cancelled).
#[must_use = "nothing is sent or received unless the driver is polled"]
pub struct Driver(Arc<Link>);

impl Driver {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        Self(link)
    }

    pub(crate) fn link(&self) -> &Arc<Link> {
        &self.0
    }
}

impl Future for Driver {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let link = &self.0;
        let mut connection = link.lock();
        connection.begin(link, cx, Beside::Nothing);
        match connection.turn(link, cx, Beside::Nothing) {
            Turned::Ended(ended) => Poll::Ready(ended),
            // No handler was ever here, and no server that stops.
            Turned::Waits | Turned::Again | Turned::Late(_) | Turned::Cancel | Turned::Request(_) => {
                Poll::Pending
            }
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.lock().leave(Ended::CANCELLED);
        self.0.leave_place();
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("info", &self.0.info).finish_non_exhaustive()
    }
}
