//! The timer of a connection on tokio.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use ::tokio::task::coop;
use ::tokio::time::{self, Sleep};
use endwell_core::Instant;
use pin_project_lite::pin_project;

use crate::runtime;

pin_project! {
    /// A timer of tokio. It is made anywhere, and used within a runtime.
    #[derive(Debug)]
    pub struct TokioTimer {
        epoch: time::Instant,
        // In place, so that a connection pays for one allocation.
        #[pin]
        sleep: Option<Sleep>,
    }
}

impl TokioTimer {
    pub(super) fn new() -> Self {
        Self { epoch: time::Instant::now(), sleep: None }
    }
}

impl runtime::Timer for TokioTimer {
    fn now(&self) -> Instant {
        Instant::from_epoch(self.epoch.elapsed())
    }

    fn poll_sleep(self: Pin<&mut Self>, cx: &mut Context<'_>, until: Instant) -> Poll<()> {
        let mut this = self.project();
        let deadline = *this.epoch + until.since_epoch();
        if this.sleep.is_none() {
            this.sleep.set(Some(time::sleep_until(deadline)));
        }
        let Some(mut sleep) = this.sleep.as_pin_mut() else { return Poll::Pending };
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        // A task that has used up its turn would not be registered with the timer, and the driver does not ask twice.
        pin!(coop::unconstrained(sleep)).poll(cx)
    }
}
