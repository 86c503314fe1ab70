//! A connection's transport and output, shared between the task that drives it and the rights of a handler.
//!
//! The lock is held for the length of one call and never across an await. While the driver polls the handler, reads and
//! writes go to the transport directly; any other task leaves them here and wakes the driver.

mod asking;
mod background;
mod body;
mod carrier;
mod drive;
mod driving;
mod http;
mod output;
mod pieces;
mod raw;
mod socket;
mod waiters;

use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use endwell_core::http::server::{self, RequestBody};
use endwell_core::http::{Fields, StatusCode};
use endwell_core::{Inbox, Instant, Outbox, OutboxLimits};

use crate::hub::Hub;
use crate::sync::{Lock, Locked, Woken};
use crate::transport::{Endpoints, Transport, Truncated};
use crate::ws::Queue;
use crate::{Config, Ended, scratch};
pub(crate) use asking::{Answer, Asking, Phase, Sent};
use background::Reading;
use carrier::{Carrier, Line};
pub(crate) use drive::Application;
pub(crate) use driving::Driving;
pub(crate) use http::Http;
pub(crate) use pieces::{Found, Paused};
pub(crate) use socket::SocketState;
use waiters::Waiters;
pub(crate) use waiters::{Side, Until};

/// The lock around a [`Wire`].
pub(crate) struct Link<T: ?Sized = dyn Carrier> {
    pub(crate) endpoints: Endpoints,
    pub(crate) hub: Arc<Hub>,
    wire: Lock<Wire<T>>,
}

/// A locked wire. The wakers that it collects are woken once the lock is released.
pub(crate) struct LockedWire<'a> {
    // Dropped in this order.
    wire: Locked<'a, Wire>,
    /// Mostly `None`, which costs nothing.
    woken: Option<Woken>,
}

impl Link {
    pub(crate) fn new(
        transport: impl Transport,
        endpoints: Endpoints,
        hub: Arc<Hub>,
        config: &Config,
    ) -> Arc<Self> {
        Arc::new(Link { endpoints, hub, wire: Lock::new(Wire::new(Line::Open(transport), config)) })
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

impl<T: ?Sized> Drop for Link<T> {
    fn drop(&mut self) {
        let wire = self.wire.get_mut();
        self.hub.charge(wire.charged, 0);
        scratch::reclaim_output(&mut wire.out);
    }
}

/// The outcome of an exchange.
pub(crate) enum Outcome {
    /// It is open: a handler has the right to answer.
    Open,
    /// It was answered.
    Answered(server::After),
    /// Its response was cut off.
    Cut(server::Abandoned),
    /// Its right was dropped before a head was written.
    Dropped(server::Responder),
    /// Another protocol had the connection, which ended in this way.
    Ended(Ended),
}

/// The transport, the output, the input, and the waiting tasks.
pub(crate) struct Wire<T: ?Sized = dyn Carrier> {
    pub(crate) out: Outbox,
    /// The HTTP input.
    pub(crate) http: Http,
    /// The WebSocket that the connection has become.
    pub(crate) socket: SocketState,
    /// The number of the exchange that is open, or was the last.
    pub(crate) number: u64,
    outcome: Outcome,
    /// Boxed, as is all that few connections have, or that no waiting one has.
    pub(crate) trailers: Option<Box<Fields>>,
    /// The status to respond with if the right to respond is dropped.
    pub(crate) fallback: StatusCode,
    /// How the connection ended, once it has.
    ended: Option<Box<Ended>>,
    /// The messages that outlets have accepted for the socket.
    pub(crate) queue: Option<Arc<Queue>>,
    reading: Reading,
    waiters: Waiters,
    /// The wakers to wake once the lock is released.
    woken: Woken,
    driver: Option<Waker>,
    /// True in the driver's turn: it writes and reads before it waits.
    driving: bool,
    /// The total output when the last turn ended.
    seen: u64,
    /// Bytes that a layer below the transport may still hold back.
    unflushed: usize,
    /// When a lower layer was first seen to hold bytes back, or to owe the end of the stream.
    held_back: Option<Instant>,
    armed: Option<Instant>,
    /// Bytes in outlets, and read ahead.
    held_elsewhere: usize,
    charged: usize,
    transport: T,
}

/// Reads once into `inbox`. When pending, the inbox was marked as dry, if the runtime has looked, or it is full.
fn fill(transport: &mut dyn Carrier, cx: &mut Context<'_>, inbox: &mut Inbox) -> Poll<Result<(), Ended>> {
    if inbox.is_full() {
        // A read into no room finds no bytes, as at the end of the stream.
        return Poll::Pending;
    }
    scratch::lend_room(inbox);
    match transport.poll_read(cx, inbox.room()) {
        Poll::Ready(Ok(0)) => {
            inbox.end();
            // Nothing more will be read, and the state may be over.
            scratch::reclaim_room(inbox);
        }
        Poll::Ready(Ok(len)) => inbox.filled(len),
        Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
        // A state that misses nothing treats it as the end. Any other state reads on, and receives the error.
        Poll::Ready(Err(error)) if Truncated::is(&error) && inbox.cut() => scratch::reclaim_room(inbox),
        Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
        Poll::Pending => {
            if transport.found_nothing() {
                inbox.dry(transport.now());
            }
            return Poll::Pending;
        }
    }
    Poll::Ready(Ok(()))
}

/// The limits that are set, with room for at least one chunk: a writer that waits for an empty outbox must fit.
fn output_limits(config: &Config) -> OutboxLimits {
    let bytes = config.output.bytes.max(LEAST_OUTPUT);
    OutboxLimits { bytes, high_water: config.output.high_water.min(bytes), ..config.output }
}

/// The smallest limit of an outbox.
const LEAST_OUTPUT: usize = 4096;

impl<T: Carrier> Wire<T> {
    fn new(transport: T, config: &Config) -> Self {
        Self {
            out: Outbox::new(output_limits(config)),
            http: Http::Nothing,
            socket: SocketState::None,
            number: 0,
            outcome: Outcome::Open,
            trailers: None,
            fallback: StatusCode::INTERNAL_SERVER_ERROR,
            ended: None,
            queue: None,
            reading: Reading::default(),
            waiters: Waiters::default(),
            woken: Woken::default(),
            driver: None,
            driving: false,
            seen: 0,
            unflushed: 0,
            held_back: None,
            armed: None,
            held_elsewhere: 0,
            charged: 0,
            transport,
        }
    }
}

impl Wire {
    /// Begins an exchange. Returns its number.
    pub(crate) fn open(&mut self, recv: RequestBody) -> u64 {
        self.http = Http::Request(recv);
        self.out.set_pace(None);
        self.number += 1;
        self.trailers = None;
        self.fallback = StatusCode::INTERNAL_SERVER_ERROR;
        self.outcome = Outcome::Open;
        self.number
    }

    /// Takes the outcome of the exchange. The driver asks once it is no longer open.
    pub(crate) fn take_outcome(&mut self) -> Outcome {
        std::mem::replace(&mut self.outcome, Outcome::Open)
    }

    /// Ends the exchange with `outcome`. The reader of its body reads no further.
    pub(crate) fn conclude(&mut self, outcome: Outcome) {
        self.outcome = outcome;
        self.wake_reader();
        self.leave_to_driver();
    }

    /// How the connection ended, once it has.
    pub(crate) fn ended(&self) -> Option<&Ended> {
        self.ended.as_deref()
    }

    /// Ends the connection and wakes all waiting tasks. If it ended within a response, it is reset: a plain close could
    /// look like the response's end.
    pub(crate) fn end(&mut self, ended: Ended) {
        let is_sent = self.out.is_empty() && self.unflushed == 0 && self.http.write_error().is_none();
        if self.http.request().is_some() || !is_sent || matches!(self.outcome, Outcome::Cut(_)) {
            self.transport.reset();
        }
        let ended = self.cut_socket(ended);
        let position = self.position();
        if let Some(asking) = self.http.asking() {
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

    /// Ends the connection, whatever is in progress, and closes the socket. Keeps only how it ended, and what was read
    /// ahead for a late reader. Rights may outlive it.
    pub(crate) fn hang_up(&mut self, ended: Ended) {
        let driver = self.driver.take();
        self.woken.discard(driver);
        self.end(ended);
        self.out.discard();
        drop(self.http.take_request());
        if let Some(inbox) = self.http.inbox() {
            scratch::reclaim_room(inbox);
        }
        self.socket.hang_up(self.ended.as_deref());
        self.transport.hang_up();
    }

    pub(super) fn wake_waiters(&mut self) {
        let Self { waiters, woken, .. } = self;
        waiters.wake_all(woken);
        self.reading.wake(woken);
    }

    pub(crate) fn now(&self) -> Instant {
        self.transport.now()
    }

    /// Makes the coming close a reset.
    pub(crate) fn reset(&mut self) {
        self.transport.reset();
    }

    /// Reads once into `inbox`. When pending, the inbox was marked as dry.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>, inbox: &mut Inbox) -> Poll<Result<(), Ended>> {
        let filled = fill(&mut self.transport, cx, inbox);
        self.has_read(filled)
    }

    /// Notes that what has arrived shows that the peer has received the output: a response that waits for that is sent
    /// now.
    fn has_read<R>(&mut self, read: Poll<R>) -> Poll<R> {
        if read.is_ready() && self.out.arrived() {
            self.wake_driver();
        }
        read
    }

    /// True if a pending read found nothing; false if the runtime did not look.
    pub(crate) fn has_looked(&self) -> bool {
        self.transport.found_nothing()
    }

    /// Waits until the connection has ended. `key` is the slot of the waiting task.
    pub(crate) fn poll_gone(&mut self, cx: &mut Context<'_>, key: &mut Option<usize>) -> Poll<Ended> {
        if let Some(ended) = &self.ended {
            return Poll::Ready(Ended::clone(ended));
        }
        let is_new = self.waiters.watch(key, cx, &mut self.woken);
        self.wait_for_driver(is_new);
        Poll::Pending
    }
}
