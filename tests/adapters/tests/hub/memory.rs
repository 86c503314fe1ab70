//! Sockets without a network, and a clock that the test moves.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use endwell::core::ws::{self as core_ws, Role};
use endwell::tokio::Stream;
use endwell::ws::{Jitter, Socket, SocketLimits};
use endwell::{Driver, Instant, Runtime, ServerConfig, Timer};
use tokio::io::DuplexStream;

/// A server's socket, its driver, and the client's end of the wire.
pub(crate) fn socket(runtime: impl Runtime, config: &ServerConfig) -> (Socket, Driver, DuplexStream) {
    let (near, far) = tokio::io::duplex(64 << 10);
    let limits: Arc<SocketLimits> = config.ws.clone().into();
    let web_socket = core_ws::Socket::from_parts(
        Role::Server,
        bytes::Bytes::new(),
        limits,
        config.output,
        Jitter::default(),
        None,
    );
    let (socket, driver) = Socket::over(Stream::new(near), runtime, web_socket, &config.into());
    (socket, driver, far)
}

/// A runtime that runs nothing, with a clock that stands still until it is moved.
#[derive(Clone, Default)]
pub(crate) struct Still(Arc<Mutex<Clock>>);

#[derive(Default)]
struct Clock {
    now: Duration,
    sleeping: Vec<(Duration, Waker)>,
}

impl Still {
    /// Moves the clock, and wakes whatever that is too late for.
    pub(crate) fn jump(&self, time: Duration) {
        let mut clock = self.0.lock().unwrap();
        clock.now += time;
        let now = clock.now;
        let (over, sleeping) =
            std::mem::take(&mut clock.sleeping).into_iter().partition(|(at, _)| *at <= now);
        clock.sleeping = sleeping;
        drop(clock);
        let over: Vec<(Duration, Waker)> = over;
        for (_, waker) in over {
            waker.wake();
        }
    }
}

impl Runtime for Still {
    type Timer = Self;

    fn timer(&self) -> Self {
        self.clone()
    }

    fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

impl Timer for Still {
    fn now(&self) -> Instant {
        Instant::from_epoch(self.0.lock().unwrap().now)
    }

    fn poll_sleep(self: Pin<&mut Self>, cx: &mut Context<'_>, until: Instant) -> Poll<()> {
        let mut clock = self.0.lock().unwrap();
        if clock.now >= until.since_epoch() {
            return Poll::Ready(());
        }
        clock.sleeping.push((until.since_epoch(), cx.waker().clone()));
        Poll::Pending
    }
}
