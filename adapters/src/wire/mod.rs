//! A connection's transport and output, shared between the task that drives it and the rights that a handler has.
//!
//! The lock is held for the length of one call and never across an await. While the driver polls the handler,
//! reads and writes go to the transport directly; from any other task they are left here, and the driver is woken.

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

/// A wire that is locked. Whom it wakes is woken when the lock is free again.
pub(crate) struct LockedWire<'a> {
    // Dropped in this order.
    wire: Locked<'a, Wire>,
    /// Mostly there is nobody, and then this costs nothing.
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

/// What an exchange has become.
pub(crate) enum Outcome {
    /// It is open: a handler has the right to answer.
    Open,
    /// It was answered.
    Answered(server::After),
    /// Its response was cut off.
    Cut(server::Abandoned),
    /// Its right was dropped before a head was written.
    Dropped(server::Responder),
    /// Another protocol had the connection, and it ended so.
    Ended(Ended),
}

/// Transport, output, what is received, and who waits.
pub(crate) struct Wire<T: ?Sized = dyn Carrier> {
    pub(crate) out: Outbox,
    /// What HTTP receives.
    pub(crate) http: Http,
    /// The WebSocket that it has become.
    pub(crate) socket: SocketState,
    /// Which exchange of the connection is open, or was the last.
    pub(crate) number: u64,
    outcome: Outcome,
    /// Behind a pointer, as is what few connections have, or none of those that wait.
    pub(crate) trailers: Option<Box<Fields>>,
    /// What to answer if the right to answer is dropped.
    pub(crate) fallback: StatusCode,
    /// How the connection ended, once it has.
    ended: Option<Box<Ended>>,
    /// What outlets have accepted for the socket.
    pub(crate) queue: Option<Arc<Queue>>,
    reading: Reading,
    waiters: Waiters,
    /// Whom to wake when the lock is free again.
    woken: Woken,
    driver: Option<Waker>,
    /// The driver's turn: it writes and reads before it waits.
    driving: bool,
    /// How much output had been written in all when that ended.
    seen: u64,
    /// Bytes that a layer below the transport may still hold back.
    unflushed: usize,
    /// Since when a layer below was seen to hold something back, or to owe the end of the stream.
    held_back: Option<Instant>,
    armed: Option<Instant>,
    /// Bytes in outlets and received ahead.
    held_elsewhere: usize,
    charged: usize,
    transport: T,
}

/// Reads once into `inbox`. Pending: it was said to be dry, if the runtime has looked, or it is full.
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
        // A state that misses nothing takes it for the end. One that does reads on, and is told the error.
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

/// The bounds that are set, with room for one chunk at the least: a writer that waits for an empty outbox must fit.
fn output_limits(config: &Config) -> OutboxLimits {
    let bytes = config.output.bytes.max(LEAST_OUTPUT);
    OutboxLimits { bytes, high_water: config.output.high_water.min(bytes), ..config.output }
}

/// The least bound of an outbox.
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
    /// An exchange begins. Its number.
    pub(crate) fn open(&mut self, recv: RequestBody) -> u64 {
        self.http = Http::Request(recv);
        self.out.set_pace(None);
        self.number += 1;
        self.trailers = None;
        self.fallback = StatusCode::INTERNAL_SERVER_ERROR;
        self.outcome = Outcome::Open;
        self.number
    }

    /// What has become of the exchange. The driver asks once it is no longer open.
    pub(crate) fn take_outcome(&mut self) -> Outcome {
        std::mem::replace(&mut self.outcome, Outcome::Open)
    }

    /// The exchange has become `outcome`. Who reads its body reads no further.
    pub(crate) fn conclude(&mut self, outcome: Outcome) {
        self.outcome = outcome;
        self.wake_reader();
        self.leave_to_driver();
    }

    /// How the connection ended, once it has.
    pub(crate) fn ended(&self) -> Option<&Ended> {
        self.ended.as_deref()
    }

    /// The connection has ended: whoever waits is told. If it ended within a response, it is reset: a plain close
    /// could look like the response's end.
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
        // It may be the driver that found this, in a turn in which it had looked for the end already.
        self.wake_driver();
    }

    /// The connection is over, whatever was going on: nothing is kept but how it ended, and what was received ahead for
    /// whoever comes late; and the socket closes. Rights may outlive it.
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

    /// Lets the coming close be a reset.
    pub(crate) fn reset(&mut self) {
        self.transport.reset();
    }

    /// Reads once into `inbox`. Pending: it was said to be dry.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>, inbox: &mut Inbox) -> Poll<Result<(), Ended>> {
        let filled = fill(&mut self.transport, cx, inbox);
        self.has_read(filled)
    }

    /// What has arrived shows that the peer has what went out: a response that waits for that goes now.
    fn has_read<R>(&mut self, read: Poll<R>) -> Poll<R> {
        if read.is_ready() && self.out.arrived() {
            self.wake_driver();
        }
        read
    }

    /// After reading was pending: was there nothing, or did the runtime not look?
    pub(crate) fn has_looked(&self) -> bool {
        self.transport.found_nothing()
    }

    /// Waits until the connection has ended. `key`: of the place of whoever waits.
    pub(crate) fn poll_gone(&mut self, cx: &mut Context<'_>, key: &mut Option<usize>) -> Poll<Ended> {
        if let Some(ended) = &self.ended {
            return Poll::Ready(Ended::clone(ended));
        }
        let is_new = self.waiters.watch(key, cx, &mut self.woken);
        self.wait_for_driver(is_new);
        Poll::Pending
    }
}
