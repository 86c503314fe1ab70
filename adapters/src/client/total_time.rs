//! The time that a request and its response have in all.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use endwell_core::{Bound, Exceeded, Limit};

use crate::runtime::Runtime;
use crate::sync::Lock;

/// The time for a request and its whole response. It runs from the first poll on, whatever the application does meanwhile,
/// and ends whatever waits for the server then.
pub(crate) struct TotalTime {
    time: Duration,
    left: Left,
}

enum Left {
    /// The lock is never waited for: it lets the values that hold the time be shared.
    Some(Lock<Pin<Box<dyn Future<Output = ()> + Send>>>),
    Nothing,
}

impl TotalTime {
    pub(crate) fn new(runtime: &impl Runtime, time: Duration) -> Self {
        Self { time, left: Left::Some(Lock::new(Box::pin(runtime.sleep(time)))) }
    }

    pub(crate) fn time(&self) -> Duration {
        self.time
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.left, Left::Nothing)
    }

    /// The error of what is not complete after it.
    pub(crate) fn exceeded(&self) -> Exceeded {
        Exceeded { limit: Limit::RequestTime, bound: Bound::Time(self.time) }
    }

    /// Waits until it is over; then it stays so.
    pub(crate) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Left::Some(sleep) = &mut self.left {
            ready!(sleep.get_mut().as_mut().poll(cx));
            self.left = Left::Nothing;
        }
        Poll::Ready(())
    }
}
