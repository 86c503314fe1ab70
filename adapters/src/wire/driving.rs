//! A connection, as held by its task.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::{Link, State};
use crate::{Ended, Exchange};

/// The link, held by the task that drives it. If the task is dropped, the connection closes at once: rights in other
/// tasks would otherwise wait for ever.
pub(crate) struct Driving(Arc<Link>);

impl Driving {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        Self(link)
    }

    pub(crate) fn link(&self) -> &Arc<Link> {
        &self.0
    }

    /// Drives a connection whose application is in another task, until it has ended.
    pub(crate) fn poll_beside(&self, cx: &mut Context<'_>) -> Poll<Ended> {
        let mut wire = self.0.lock();
        wire.begin_turn(&self.0);
        wire.poll_to_end(&self.0, cx)
    }

    /// Drives a server's connection while no handler runs: to the next request, or to its end.
    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Result<Exchange, Ended>> {
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

impl Drop for Driving {
    fn drop(&mut self) {
        self.0.lock().leave(Ended::Cancelled);
    }
}
