//! A connection's state and transport, shared between the task that drives it and the rights of a handler.
//!
//! The lock is held for the length of one call and never across an await. Only the driver reads and writes: a right takes
//! what has arrived, queues what is to be sent, and wakes the driver if that is in another task.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a right asks for its own state, and treats all others alike"
)]

mod asking;
mod background;
mod between;
mod body;
mod closing;
mod drive;
mod driver;
mod exchange;
mod life;
mod look;
mod output;
mod pieces;
mod raw;
mod run;
mod shed;
mod socket;
mod state;
mod turn;
mod waiters;

use std::io;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use endwell_core::http::{Fields, StatusCode};
use endwell_core::{Instant, OutboxLimits};

use crate::hub::Hub;
use crate::runtime::{Runtime, Timer};
use crate::sync::{Lock, Locked, Woken};
use crate::transport::{Endpoints, Transport};
use crate::ws::{Position, Queue};
use crate::{Config, Ended, scratch};
pub(crate) use asking::{Answer, Asking, Calling, Phase};
pub use driver::Driver;
pub(crate) use life::LifeLimits;
pub(crate) use pieces::Found;
pub use run::Run;
pub(crate) use shed::{BUFFER, Standing, Told, ticks};
pub(crate) use state::State;
use waiters::Waiters;
pub(crate) use waiters::{Side, Until};

/// The lock around a [`Wire`].
pub(crate) struct Link {
    pub(crate) endpoints: Endpoints,
    pub(crate) hub: Arc<Hub>,
    pub(crate) standing: Standing,
    wire: Lock<Wire>,
}

/// A locked wire. The wakers that it collects are woken once the lock is released.
pub(crate) struct LockedWire<'a> {
    // Dropped in this order.
    wire: Locked<'a, Wire>,
    /// Mostly `None`, which costs nothing.
    woken: Option<Woken>,
}

impl Link {
    /// Makes a connection in a state.
    pub(crate) fn new(
        transport: impl Transport,
        runtime: &impl Runtime,
        endpoints: Endpoints,
        hub: Arc<Hub>,
        state: State,
    ) -> Arc<Self> {
        let wire = Wire::new(Box::new(transport), Box::pin(runtime.timer()), state);
        let standing = Standing::new(hub.now(), wire.clock());
        Arc::new(Self { endpoints, hub, standing, wire: Lock::new(wire) })
    }

    #[inline]
    pub(crate) fn lock(&self) -> LockedWire<'_> {
        LockedWire { wire: self.wire.lock(), woken: None }
    }
}

impl Deref for LockedWire<'_> {
    type Target = Wire;

    #[inline]
    fn deref(&self) -> &Wire {
        &self.wire
    }
}

impl DerefMut for LockedWire<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Wire {
        &mut self.wire
    }
}

impl Drop for LockedWire<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.wire.woken.is_empty() {
            self.woken = Some(std::mem::take(&mut self.wire.woken));
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let wire = self.wire.get_mut();
        self.hub.charge(self.standing.bytes(), 0);
        if let Some(mut io) = wire.state.io() {
            scratch::reclaim_output(&mut io);
        }
    }
}

/// The state, the transport, and the waiting tasks.
pub(crate) struct Wire {
    pub(crate) state: State,
    /// The number of the exchange that is open, or was the last.
    number: u64,
    /// The trailers of the request. Boxed, as is all that few connections have, or that no waiting one has.
    trailers: Option<Box<Fields>>,
    /// The status to respond with if the right to respond is dropped.
    fallback: StatusCode,
    /// How the connection ended, once it has.
    ended: Option<Box<Ended>>,
    /// The messages that outlets have accepted for the socket.
    pub(crate) queue: Option<Arc<Queue>>,
    life: life::Life,
    /// Whether what a socket receives is read.
    reader: background::Reader,
    unread: background::Unread,
    /// How far the body of the open exchange is.
    request: body::Request,
    waiters: Waiters,
    /// The wakers to wake once the lock is released.
    woken: Woken,
    driver: Option<Waker>,
    /// True in the driver's turn: it writes and reads before it waits.
    driving: bool,
    /// The handler is to be polled again in this turn.
    again: bool,
    /// What is left to do in this turn.
    work: turn::Work,
    /// Nothing is left to read in this turn.
    looked: look::Looked,
    /// The stream broke off. The state is asked first whether bytes are missing.
    truncated: Option<Box<Ended>>,
    /// When the last look of this turn has something to tell.
    read_deadline: Option<Instant>,
    /// When the peer must have taken some of the output.
    write_deadline: Option<Instant>,
    /// The total output when the last turn ended.
    seen: u64,
    /// Bytes that a layer below the transport may still hold back.
    unflushed: usize,
    /// When a lower layer was first seen to hold bytes back, or to owe the end of the stream.
    held_back: Option<Instant>,
    armed: Option<Instant>,
    /// Bytes in outlets.
    held_elsewhere: usize,
    /// Bytes of a body that is being gathered.
    gathered: usize,
    /// Nothing is read in this turn.
    withheld: bool,
    /// Work that was done since the connection last counted as getting on.
    passed: usize,
    /// The time at which this turn began, or went on after a handler.
    now: Instant,
    /// `None` once the connection has hung up: rights that outlive it keep the link, but not the socket.
    transport: Option<Box<dyn Transport>>,
    /// `None` once no task drives the connection: the timer would keep that task's waker.
    timer: Option<Pin<Box<dyn Timer>>>,
}

/// The limits that are set, with room for at least one chunk: a writer that waits for an empty outbox must fit.
pub(crate) fn output_limits(config: &Config) -> OutboxLimits {
    let bytes = config.output.bytes.max(LEAST_OUTPUT);
    OutboxLimits { bytes, high_water: config.output.high_water.min(bytes), ..config.output }
}

/// The smallest limit of an outbox.
const LEAST_OUTPUT: usize = 4096;

/// The transport, or an error once it was dropped.
fn open(transport: &mut Option<Box<dyn Transport>>) -> io::Result<&mut dyn Transport> {
    match transport {
        Some(transport) => Ok(&mut **transport),
        None => Err(io::ErrorKind::NotConnected.into()),
    }
}

impl Wire {
    fn new(transport: Box<dyn Transport>, timer: Pin<Box<dyn Timer>>, state: State) -> Self {
        Self {
            state,
            number: 0,
            trailers: None,
            fallback: StatusCode::INTERNAL_SERVER_ERROR,
            ended: None,
            queue: None,
            life: life::Life::default(),
            reader: background::Reader::Reads,
            unread: background::Unread::default(),
            request: body::Request::Unread,
            waiters: Waiters::default(),
            woken: Woken::default(),
            driver: None,
            driving: false,
            again: false,
            work: turn::Work::default(),
            looked: look::Looked::No,
            truncated: None,
            read_deadline: None,
            write_deadline: None,
            seen: 0,
            unflushed: 0,
            held_back: None,
            armed: None,
            held_elsewhere: 0,
            gathered: 0,
            withheld: false,
            passed: 0,
            now: Instant::default(),
            transport: Some(transport),
            timer: Some(timer),
        }
    }

    /// Reads the clock, which stands still once no task drives the connection.
    #[inline]
    fn clock(&self) -> Instant {
        self.timer.as_ref().map_or(self.now, |timer| timer.now())
    }

    /// True if bytes or the end have come that the runtime has not reported yet.
    fn has_unseen(&self) -> bool {
        self.transport.as_ref().is_some_and(|transport| transport.has_unseen())
    }

    /// Makes the close a reset.
    fn reset(&mut self) {
        if let Some(transport) = &mut self.transport {
            transport.reset();
        }
    }

    /// How the connection ended, once it has.
    pub(crate) fn ended(&self) -> Option<&Ended> {
        match (&self.ended, &self.state) {
            (Some(ended), _) | (None, State::Over(ended)) => Some(ended),
            (None, _) => None,
        }
    }

    /// The connection is over, with the output at `position`, and nothing more is to be sent. The driver closes it.
    fn is_over(&mut self, ended: Ended, position: Position) {
        if let Some(queue) = &self.queue {
            queue.ended(&ended, position, &mut self.woken);
        }
        self.state = State::Over(ended.into());
        self.wake_waiters();
        self.wake_driver();
    }

    /// Ends the connection and wakes all waiting tasks. If it ended within a response, it is reset: a plain close could
    /// look like the response's end.
    pub(crate) fn end(&mut self, ended: Ended) {
        let is_sent = self.is_flushed() && self.own_write_error().is_none();
        if self.state.is_exchange() || !is_sent {
            self.reset();
        }
        let position = self.position();
        let ended = self.cut_last(ended);
        if let Some(asking) = self.state.asking() {
            asking.cut(&ended, position.sent);
        }
        let ended = self.ended.get_or_insert_with(|| ended.into());
        if let Some(queue) = &self.queue {
            queue.ended(ended, position, &mut self.woken);
        }
        self.wake_waiters();
        // The driver may have found this itself, in a turn in which it had already looked for the end.
        self.wake_driver();
    }

    /// Hangs up, and is driven no more. Rights may outlive it.
    pub(crate) fn leave(&mut self, ended: Ended) {
        let driver = self.driver.take();
        self.woken.discard(driver);
        self.hang_up(ended);
        self.now = self.clock();
        self.timer = None;
    }

    /// Ends the connection, whatever is in progress, and closes the socket. Keeps only how it ended, and what a client
    /// has received for a late reader.
    fn hang_up(&mut self, ended: Ended) {
        self.end(ended);
        if let Some(mut io) = self.state.io() {
            io.discard_output();
            scratch::reclaim_room(&mut io);
            scratch::reclaim_output(&mut io);
        }
        if !matches!(self.state, State::Client(_)) {
            self.state = State::Taken;
        }
        self.transport = None;
    }

    pub(super) fn wake_waiters(&mut self) {
        self.wake_reader();
        let Self { waiters, woken, .. } = self;
        waiters.wake_others(woken);
    }

    /// Waits until the connection has ended. `key` is the slot of the waiting task.
    pub(crate) fn poll_gone(&mut self, cx: &mut Context<'_>, key: &mut Option<usize>) -> Poll<Ended> {
        if let Some(ended) = self.ended() {
            return Poll::Ready(ended.clone());
        }
        let is_new = self.waiters.watch(key, cx, &mut self.woken);
        self.wait_for_driver(is_new);
        Poll::Pending
    }
}
