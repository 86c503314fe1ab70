//! A transport in memory, with a peer that does what it is told.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use endwell::core::ws::{self as core_ws, Role};
use endwell::core::{Instant, OutboxLimits, Pace};
use endwell::ws::{Jitter, OutletLimits, Socket, SocketConfig, SocketLimits};
use endwell::{Driver, Runtime, Timer, Transport};

use crate::{Sent, Threads, frame, sent};

/// Both ends of a connection: the driver has the one, the model the other.
#[derive(Clone)]
pub struct Pipe(Arc<Shared>);

struct Shared {
    /// Taken first if a thread of the model plays the peer, so that loom decides who is next. Otherwise only the
    /// driver comes here, under the connection's lock.
    turn: Option<loom::sync::Mutex<()>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    written: Vec<u8>,
    writes: Writes,
    incoming: VecDeque<Vec<u8>>,
    has_ended: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    time: Time,
    now: Duration,
    speaks: Speaks,
}

#[derive(Default, PartialEq, Eq)]
enum Speaks {
    #[default]
    WebSocket,
    /// The peer answers nothing.
    Http,
}

#[derive(Default)]
enum Time {
    /// It stands still: nothing is late.
    #[default]
    Still,
    /// It passes when the driver has nothing else to wait for, at once.
    Flies,
}

#[derive(Default, PartialEq, Eq)]
enum Writes {
    /// Everything is taken.
    #[default]
    Taken,
    /// The next write is pending, and its task is woken at once.
    StallOnce,
    /// Nothing is taken until the peer reads.
    Stalled,
}

struct Locked<'a> {
    state: MutexGuard<'a, State>,
    _turn: Option<loom::sync::MutexGuard<'a, ()>>,
}

impl Pipe {
    /// Nobody but the driver touches it while it runs.
    pub fn new() -> Self {
        Self::with(None)
    }

    /// A thread plays the peer.
    pub fn with_peer() -> Self {
        Self::with(Some(loom::sync::Mutex::new(())))
    }

    fn with(turn: Option<loom::sync::Mutex<()>>) -> Self {
        Self(Arc::new(Shared { turn, state: Mutex::default() }))
    }

    fn lock(&self) -> Locked<'_> {
        let turn = self.0.turn.as_ref().map(|turn| turn.lock().unwrap());
        Locked { state: self.0.state.lock().unwrap(), _turn: turn }
    }

    /// The next write is pending once.
    pub fn stall_once(self) -> Self {
        self.lock().state.writes = Writes::StallOnce;
        self
    }

    /// No write is taken before [`resume`](Self::resume).
    pub fn stalled(self) -> Self {
        self.lock().state.writes = Writes::Stalled;
        self
    }

    /// What has a deadline is late as soon as the driver has nothing else to do.
    pub fn time_flies(self) -> Self {
        self.lock().state.time = Time::Flies;
        self
    }

    /// It carries HTTP, whose requests the peer does not answer.
    pub fn http(self) -> Self {
        self.lock().state.speaks = Speaks::Http;
        self
    }

    /// The peer leaves.
    pub fn end(&self) {
        let mut locked = self.lock();
        locked.state.has_ended = true;
        let reader = locked.state.reader.take();
        drop(locked);
        reader.into_iter().for_each(Waker::wake);
    }

    /// The peer reads again.
    pub fn resume(&self) {
        let mut locked = self.lock();
        locked.state.writes = Writes::Taken;
        let writer = locked.state.writer.take();
        drop(locked);
        writer.into_iter().for_each(Waker::wake);
    }

    /// Bytes arrive.
    pub fn feed(&self, bytes: &[u8]) {
        let mut locked = self.lock();
        locked.state.incoming.push_back(bytes.to_vec());
        let reader = locked.state.reader.take();
        drop(locked);
        reader.into_iter().for_each(Waker::wake);
    }

    /// Frames that the transport has taken so far.
    pub fn sent(&self) -> Vec<Sent> {
        sent(&self.0.state.lock().unwrap().written)
    }
}

impl Transport for Pipe {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut locked = self.lock();
        let state = &mut *locked.state;
        if let Some(bytes) = state.incoming.pop_front() {
            buffer[..bytes.len()].copy_from_slice(&bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        if state.has_ended {
            return Poll::Ready(Ok(0));
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut locked = self.lock();
        let state = &mut *locked.state;
        match state.writes {
            Writes::Taken => {}
            Writes::StallOnce => {
                state.writes = Writes::Taken;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Writes::Stalled => {
                state.writer = Some(cx.waker().clone());
                return Poll::Pending;
            }
        }
        slices.iter().for_each(|slice| state.written.extend_from_slice(slice));
        // The peer answers a Close, and leaves.
        if state.speaks == Speaks::WebSocket
            && !state.has_ended
            && sent(&state.written).contains(&Sent::Close)
        {
            state.incoming.push_back(frame(0x88, &[]));
            state.has_ended = true;
        }
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_end_write(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn reset(&mut self) {}
}

/// Its clock, and threads of loom.
impl Runtime for Pipe {
    type Timer = Self;

    fn timer(&self) -> Self {
        self.clone()
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        Threads.spawn(task)
    }
}

impl Timer for Pipe {
    fn now(&self) -> Instant {
        Instant::from_epoch(self.0.state.lock().unwrap().now)
    }

    fn poll_sleep(self: Pin<&mut Self>, _: &mut Context<'_>, until: Instant) -> Poll<()> {
        let mut state = self.0.state.lock().unwrap();
        match state.time {
            Time::Still => Poll::Pending,
            Time::Flies => {
                state.now = until.since_epoch();
                Poll::Ready(())
            }
        }
    }
}

/// A server's WebSocket over `pipe`. Outlets hold one message, and the output takes a further one only when it is empty; no pings,
/// no limits on progress.
pub fn connect(pipe: &Pipe) -> (Socket, Driver) {
    let mut config = SocketConfig::default();
    config.outlet = OutletLimits { messages: 1, ..OutletLimits::default() };
    let output = Arc::new(OutboxLimits { high_water: 0, pace: Pace::UNLIMITED, ..OutboxLimits::default() });
    let mut limits = SocketLimits::default();
    limits.ping_interval = None;
    limits.message_pace = Pace::UNLIMITED;
    let (limits, jitter) = (Arc::new(limits), Jitter::default());
    let web_socket = core_ws::Socket::from_parts(Role::Server, Bytes::new(), limits, output, jitter, None);
    Socket::over(pipe.clone(), pipe.clone(), web_socket, &config)
}
