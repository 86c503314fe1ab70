//! A connection, as held by its task.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{Link, State};
use crate::{Ended, Exchange};

/// Drives a connection to its end, beside the tasks that use it. It is made with the connection, by
/// [`client::Connection::over`](crate::client::Connection::over) and [`ws::Socket::over`](crate::ws::Socket::over), and
/// returns how the connection ended. Spawn it, or join it with the task that uses the connection.
///
/// # Cancel safety
///
/// If it is dropped, the connection closes at once: rights in other tasks would otherwise wait for ever. They receive
/// [`Ended::Cancelled`].
#[must_use = "nothing is sent or received unless the driver is polled"]
pub struct Driver(Arc<Link>);

impl Driver {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        Self(link)
    }

    pub(crate) fn link(&self) -> &Arc<Link> {
        &self.0
    }

    /// Drives a server's connection while no handler runs: to the next request, or to its end.
    pub(super) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Result<Exchange, Ended>> {
        let mut wire = self.0.lock();
        wire.no_handler_runs();
        if let State::Between(_) = wire.state {
            wire.begin(cx);
            let next = wire.poll_between(&self.0, cx);
            match next {
                Poll::Ready(Some(exchange)) => return Poll::Ready(Ok(exchange)),
                Poll::Ready(None) => {}
                Poll::Pending => {
                    wire.rest(&self.0);
                    return Poll::Pending;
                }
            }
        }
        wire.poll_to_end(&self.0, cx).map(Err)
    }
}

impl Future for Driver {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let mut wire = self.0.lock();
        wire.begin_turn(&self.0);
        wire.poll_to_end(&self.0, cx)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.lock().leave(Ended::Cancelled);
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("endpoints", &self.0.endpoints).finish_non_exhaustive()
    }
}
