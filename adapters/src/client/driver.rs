//! The task of a client's connection.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::Ended;
use crate::wire::{Driving, Link};

/// Drives a client's connection to its end: made by [`Connection::over`](super::Connection::over). Returns how it
/// ended.
///
/// # Cancel safety
///
/// If it is dropped, the connection closes at once, and a task that waits for a response receives [`Ended::Cancelled`].
#[must_use = "nothing is sent unless the driver is polled"]
pub struct Driver(Driving);

impl Driver {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self(Driving::new(link))
    }
}

impl Future for Driver {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        self.0.poll_beside(cx)
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}
