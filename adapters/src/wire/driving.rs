//! What a connection's task holds of it.

use std::sync::Arc;

use super::Link;
use crate::Ended;

/// The link, in the hands of the task that drives it. If the task is dropped, the connection closes where it is: rights
/// that other tasks hold would wait for ever.
pub(crate) struct Driving(Arc<Link>);

impl Driving {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        Self(link)
    }

    pub(crate) fn link(&self) -> &Arc<Link> {
        &self.0
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        self.0.lock().hang_up(Ended::Cancelled);
    }
}
