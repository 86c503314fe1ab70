//! A connection, as held by its task.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::{Application, Link, Outcome};
use crate::Ended;

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
        wire.begin(cx);
        let ended = match (wire.take_outcome(), wire.ended()) {
            (Outcome::Ended(ended), None) => ended,
            (_, Some(ended)) => ended.clone(),
            (Outcome::Open | Outcome::Answered(_) | Outcome::Cut(_) | Outcome::Dropped(_), None) => {
                if wire.poll_while_handling(cx, Application::Beside).is_ready() {
                    cx.waker().wake_by_ref();
                }
                wire.rest(&self.0.hub, None);
                return Poll::Pending;
            }
        };
        wire.hang_up(ended.clone());
        Poll::Ready(ended)
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        self.0.lock().hang_up(Ended::Cancelled);
    }
}
