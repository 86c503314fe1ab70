//! The world as a runtime: its alarms, and waits for a moment of its clock.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use endwell::core::Instant;
use endwell::{Runtime, Timer};

use super::{Hold as _, World};

/// Waits for a moment.
pub(crate) struct Sleep {
    pub(super) world: World,
    pub(super) until: Duration,
    pub(super) key: Option<(Duration, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { world, until, key } = self.get_mut();
        let mut state = world.0.state.hold();
        if let Some(key) = key.take() {
            state.timers.remove(&key);
        }
        if state.now >= *until {
            return Poll::Ready(());
        }
        *key = Some(state.wake_at(*until, cx.waker()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.world.0.state.hold().timers.remove(&key);
        }
    }
}

impl Runtime for World {
    type Timer = Alarm;

    fn timer(&self) -> Alarm {
        Alarm { world: self.clone(), key: None }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        self.spawn("connection", task);
        Ok(())
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.sleep(duration)
    }
}

/// The timer of a connection.
pub(crate) struct Alarm {
    world: World,
    key: Option<(Duration, u64)>,
}

impl Timer for Alarm {
    fn now(&self) -> Instant {
        self.world.now()
    }

    fn poll_sleep(mut self: Pin<&mut Self>, cx: &mut Context<'_>, until: Instant) -> Poll<()> {
        let Self { world, key } = &mut *self;
        let (mut state, until) = (world.0.state.hold(), until.since_epoch());
        let before = key.take().and_then(|key| state.timers.remove(&key).map(|waker| (key.0, waker)));
        if state.now >= until {
            return Poll::Ready(());
        }
        let again = before.is_some_and(|(before, waker)| before == until && waker.will_wake(cx.waker()));
        assert!(!again, "a sleep is asked for twice");
        *key = Some(state.wake_at(until, cx.waker()));
        Poll::Pending
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.world.0.state.hold().timers.remove(&key);
        }
    }
}
