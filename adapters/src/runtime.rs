//! The interface of a runtime: where tasks run, and how they wait for a time.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use endwell_core::Instant;

/// A runtime: it runs the tasks of connections, and makes their timers.
///
/// It is a small value that is passed on to whatever spawns or waits. Its streams are [`Transport`](crate::Transport)s,
/// which do neither.
pub trait Runtime: Clone + Send + Sync + 'static {
    /// The type of a timer.
    type Timer: Timer;

    /// Makes a timer. A connection has one, and so has each wait.
    fn timer(&self) -> Self::Timer;

    /// Runs a task.
    ///
    /// # Errors
    ///
    /// If the runtime has no room for the task, such as no thread. The task was dropped.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()>;

    /// Waits for a time, which begins when the future is first polled.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        let runtime = self.clone();
        async move {
            let mut timer = pin!(runtime.timer());
            let until = timer.now().saturating_add(duration);
            poll_fn(|cx| timer.as_mut().poll_sleep(cx, until)).await;
        }
    }
}

/// The clock of a runtime, and one alarm, polled.
pub trait Timer: Send + 'static {
    /// The current time, since an epoch of the timer's choice.
    fn now(&self) -> Instant;

    /// Waits until `until`. A later call with another moment replaces the earlier one. If it is pending, it wakes the
    /// task of the last context that it was given.
    ///
    /// The driver does not repeat the call for the same moment: a runtime that cuts turns short must keep the alarm.
    fn poll_sleep(self: Pin<&mut Self>, cx: &mut Context<'_>, until: Instant) -> Poll<()>;
}
