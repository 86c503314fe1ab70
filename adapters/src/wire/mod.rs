//! A connection's transport and output, shared between the task that drives it and the rights that a handler has.
//!
//! The lock is held for the length of one call and never across an await. While the driver polls the handler,
//! reads and writes go to the transport directly; from any other task they are left here, and the driver is woken.

mod body;
mod raw;
mod socket;

use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::Buf;
use endwell_core::http::server::{self, RequestBody};
use endwell_core::http::{Fields, StatusCode};
use endwell_core::ws::Sender;
use endwell_core::{Bound, Deadline, Exceeded, Inbox, Instant, Limit, Outbox, OutboxLimits};

use crate::hub::Hub;
use crate::transport::{Endpoints, Transport};
use crate::{Config, Ended, scratch};
pub(crate) use socket::SocketState;

/// The lock around a [`Wire`].
pub(crate) struct Link<T: ?Sized = dyn Transport> {
    pub(crate) endpoints: Endpoints,
    pub(crate) hub: Arc<Hub>,
    wire: Mutex<Wire<T>>,
}

impl Link {
    pub(crate) fn new(
        transport: impl Transport,
        endpoints: Endpoints,
        hub: Arc<Hub>,
        config: &Config,
    ) -> Arc<Self> {
        Arc::new(Link { endpoints, hub, wire: Mutex::new(Wire::new(transport, config)) })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: ?Sized> Drop for Link<T> {
    fn drop(&mut self) {
        let wire = self.wire.get_mut().unwrap_or_else(PoisonError::into_inner);
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

/// Those who wait for something that the driver sees.
#[derive(Default)]
struct Waiters {
    reader: Option<Waker>,
    writer: Option<(Waker, Until)>,
    watcher: Option<Waker>,
}

/// What a writer waits for.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// The output is below its high-water mark, and so many bytes fit.
    Room(usize),
    /// The transport has taken everything.
    Flushed,
    /// A message of so many bytes fits: below the high-water mark, and within the bound or alone.
    Fits(usize),
}

/// Transport, output, the receiving side of the open exchange, and who waits.
pub(crate) struct Wire<T: ?Sized = dyn Transport> {
    pub(crate) out: Outbox,
    /// The receiving side of the open exchange.
    pub(crate) recv: Option<RequestBody>,
    /// The WebSocket that the exchange has become.
    pub(crate) socket: SocketState,
    /// Which exchange of the connection is open, or was the last.
    pub(crate) number: u64,
    outcome: Outcome,
    pub(crate) trailers: Option<Fields>,
    /// What to answer if the right to answer is dropped.
    pub(crate) fallback: StatusCode,
    /// How the connection ended, once it has.
    ended: Option<Ended>,
    waiters: Waiters,
    driver: Option<Waker>,
    /// The driver's turn: it writes and reads before it waits.
    driving: bool,
    /// Bytes that a layer below the transport may still hold back.
    unflushed: usize,
    /// Since when a layer below was seen to hold something back, or to owe the end of the stream.
    held_back: Option<Instant>,
    armed: Option<Instant>,
    charged: usize,
    transport: T,
}

/// Reads once into `inbox`. Pending: it was said to be dry, if the runtime has looked.
fn fill(transport: &mut dyn Transport, cx: &mut Context<'_>, inbox: &mut Inbox) -> Poll<Result<(), Ended>> {
    scratch::lend_room(inbox);
    match transport.poll_read(cx, inbox.room()) {
        Poll::Ready(Ok(0)) => {
            inbox.end();
            // Nothing more will be read, and the state may be over.
            scratch::reclaim_room(inbox);
        }
        Poll::Ready(Ok(len)) => inbox.filled(len),
        Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
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

/// Slices of one vectored write.
const SLICES: usize = 16;

impl<T: Transport> Wire<T> {
    fn new(transport: T, config: &Config) -> Self {
        Self {
            out: Outbox::new(output_limits(config)),
            recv: None,
            socket: SocketState::None,
            number: 0,
            outcome: Outcome::Open,
            trailers: None,
            fallback: StatusCode::INTERNAL_SERVER_ERROR,
            ended: None,
            waiters: Waiters::default(),
            driver: None,
            driving: false,
            unflushed: 0,
            held_back: None,
            armed: None,
            charged: 0,
            transport,
        }
    }
}

impl Wire {
    /// An exchange begins. Its number.
    pub(crate) fn open(&mut self, recv: RequestBody) -> u64 {
        self.recv = Some(recv);
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
        self.waiters.reader.take().into_iter().for_each(Waker::wake);
        self.leave_to_driver();
    }

    /// The driver's turn begins.
    pub(crate) fn begin(&mut self, cx: &Context<'_>) {
        self.driving = true;
        scratch::lend_output(&mut self.out);
        if !self.driver.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.driver = Some(cx.waker().clone());
            // The timer would wake the task that the driver was in before.
            self.armed = None;
        }
    }

    /// The driver's turn ends, and it waits: no memory stays lent.
    pub(crate) fn rest(&mut self, hub: &Hub, inbox: Option<&mut Inbox>) {
        self.driving = false;
        let mut held = 0;
        let inbox = inbox.or(self.recv.as_mut().map(RequestBody::inbox)).or(self.socket.inbox());
        if let Some(inbox) = inbox {
            scratch::reclaim_room(inbox);
            held += inbox.len();
        }
        scratch::reclaim_output(&mut self.out);
        held += self.out.len();
        if held != self.charged {
            hub.charge(self.charged, held);
            self.charged = held;
        }
    }

    pub(crate) fn wake_driver(&mut self) {
        if let Some(waker) = &self.driver {
            waker.wake_by_ref();
        }
    }

    /// How the connection ended, once it has.
    pub(crate) fn ended(&self) -> Option<&Ended> {
        self.ended.as_ref()
    }

    /// The connection has ended: whoever waits is told. If it ended within a response, it is reset: a plain close
    /// could look like the response's end.
    pub(crate) fn end(&mut self, ended: Ended) {
        if self.recv.is_some() || !self.out.is_empty() || matches!(self.outcome, Outcome::Cut(_)) {
            self.transport.reset();
        }
        let ended = self.cut_socket(ended);
        self.ended.get_or_insert(ended);
        self.wake_waiters();
    }

    fn wake_waiters(&mut self) {
        let waiters = std::mem::take(&mut self.waiters);
        let writer = waiters.writer.map(|(waker, _)| waker);
        for waker in [waiters.reader, writer, waiters.watcher].into_iter().flatten() {
            waker.wake();
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.transport.now()
    }

    /// Lets the coming close be a reset.
    pub(crate) fn reset(&mut self) {
        self.transport.reset();
    }

    pub(crate) fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        let ended = self.transport.poll_end_write(cx);
        self.poll_held_back(ended)
    }

    /// Writes all that is queued.
    pub(crate) fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        while !self.out.is_empty() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let mut used = 0;
            for (slice, chunk) in slices.iter_mut().zip(self.out.chunks()) {
                *slice = IoSlice::new(chunk);
                used += 1;
            }
            let written = self.transport.poll_write(cx, slices.get(..used).unwrap_or_default());
            match written {
                Poll::Ready(Ok(0)) => {
                    return Poll::Ready(Err(io::Error::from(io::ErrorKind::WriteZero).into()));
                }
                Poll::Ready(Ok(count)) => self.wrote(count),
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
                Poll::Pending => {
                    self.out.poll(self.transport.now())?;
                    return Poll::Pending;
                }
            }
        }
        if self.unflushed > 0 {
            let flushed = self.transport.poll_flush(cx);
            ready!(self.poll_held_back(flushed))?;
            self.unflushed = 0;
        }
        Poll::Ready(Ok(()))
    }

    /// The transport took `count` bytes. What was taken before a further high-water mark of bytes counts as passed on:
    /// no layer below is taken to hold more.
    fn wrote(&mut self, count: usize) {
        self.out.advance(count);
        let most = self.out.limits().high_water.max(1);
        self.unflushed = self.unflushed.saturating_add(count);
        if self.unflushed > most.saturating_mul(2) {
            self.unflushed = most;
            self.held_back = None;
        }
    }

    /// Bounds the time that a layer below takes for its part.
    fn poll_held_back(&mut self, polled: Poll<io::Result<()>>) -> Poll<Result<(), Ended>> {
        if polled.is_ready() {
            self.held_back = None;
            return polled.map_err(Ended::from);
        }
        let now = self.transport.now();
        self.held_back.get_or_insert(now);
        match (self.held_back_until(), self.out.limits().progress) {
            (Some(until), Some(rate)) if now >= until.at => {
                Poll::Ready(Err(Exceeded { limit: Limit::WriteProgress, bound: Bound::Rate(rate) }.into()))
            }
            _ => Poll::Pending,
        }
    }

    /// Its progress does not show: it has as long as the least rate gives it for all that it was handed.
    fn held_back_until(&self) -> Option<Deadline> {
        let (since, rate) = (self.held_back?, self.out.limits().progress?);
        let bytes = u64::try_from(self.unflushed).unwrap_or(u64::MAX);
        let periods = u32::try_from(bytes.div_ceil(rate.bytes.max(1)).max(1)).unwrap_or(u32::MAX);
        let at = since.saturating_add(rate.period.saturating_mul(periods));
        Some(Deadline { at, reason: Limit::WriteProgress })
    }

    /// Reads once into `inbox`. Pending: it was said to be dry.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>, inbox: &mut Inbox) -> Poll<Result<(), Ended>> {
        fill(&mut self.transport, cx, inbox)
    }

    /// After reading was pending: was there nothing, or did the runtime not look?
    pub(crate) fn has_looked(&self) -> bool {
        self.transport.found_nothing()
    }

    /// Waits until the earlier of the output's deadline and `deadline`. Ready: poll whatever has a deadline again.
    ///
    /// One lazy timer: a later deadline does not move it, and when it fires too early it is set again.
    pub(crate) fn poll_deadline(&mut self, cx: &mut Context<'_>, deadline: Option<Deadline>) -> Poll<()> {
        let stall = if self.out.is_empty() { self.held_back_until() } else { self.out.deadline() };
        let Some(Deadline { at, .. }) = Deadline::earlier(deadline, stall) else { return Poll::Pending };
        let now = self.transport.now();
        if now >= at {
            return Poll::Ready(());
        }
        if self.armed.is_some_and(|armed| now < armed && armed <= at) {
            return Poll::Pending;
        }
        self.armed = Some(at);
        self.transport.poll_sleep(cx, at)
    }

    /// The driver waits while a handler works: writes, reads for those who wait, and tells them.
    ///
    /// Ready: a deadline has passed, and the handler must be polled again.
    pub(crate) fn poll_while_handling(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.ended.is_some() {
            return Poll::Pending;
        }
        if let Poll::Ready(Err(ended)) = self.poll_write_out(cx) {
            self.end(ended);
            return Poll::Pending;
        }
        if self.waiters.writer.as_ref().is_some_and(|(_, until)| self.is_met(*until)) {
            self.waiters.writer.take().into_iter().for_each(|(waker, _)| waker.wake());
        }
        // A reader in this very task has just found nothing, and will be woken by what arrives.
        let reads_elsewhere =
            self.waiters.reader.as_ref().is_some_and(|reader| !reader.will_wake(cx.waker()));
        if reads_elsewhere || self.waiters.writer.is_some() || self.waiters.watcher.is_some() {
            self.read_for_waiters(cx);
        }
        self.poll_closing(cx);
        let reading = self.waiters.reader.is_some();
        let now = self.transport.now();
        let mut deadline = match &mut self.recv {
            Some(recv) if reading => recv.deadline(),
            Some(recv) => {
                recv.pause(now);
                None
            }
            None => None,
        };
        if reading || self.is_closing() {
            deadline = deadline.or(self.socket.deadline());
        }
        ready!(self.poll_deadline(cx, deadline));
        self.waiters.reader.take().into_iter().for_each(Waker::wake);
        Poll::Ready(())
    }

    /// Reads until nothing is there or nothing more fits.
    fn read_for_waiters(&mut self, cx: &mut Context<'_>) {
        match self.read_for_socket(cx).and_then(|socket| Ok(self.read_for_body(cx)? | socket)) {
            Ok(false) => {}
            Ok(true) => self.waiters.reader.take().into_iter().for_each(Waker::wake),
            Err(ended) => self.end(ended),
        }
    }

    /// True if a reader of the body has something to look at: bytes, or that its time is over.
    fn read_for_body(&mut self, cx: &mut Context<'_>) -> Result<bool, Ended> {
        let Some(recv) = &mut self.recv else { return Ok(false) };
        let mut arrived = false;
        while !recv.inbox().is_full() && !recv.inbox().has_ended() {
            match fill(&mut self.transport, cx, recv.inbox()) {
                Poll::Ready(filled) => filled?,
                // A reader that waits elsewhere has not seen this silence: its time runs from here.
                Poll::Pending => {
                    return Ok(arrived || (self.waiters.reader.is_some() && recv.poll().is_err()));
                }
            }
            arrived = true;
        }
        Ok(arrived)
    }

    /// Runs `poll` if this is the driver's turn; otherwise leaves it to the driver.
    fn poll_driving<R>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Self, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        if self.driving { poll(self, cx) } else { Poll::Pending }
    }

    /// Waits until the output is as far as `until` says.
    pub(crate) fn poll_output(&mut self, cx: &mut Context<'_>, until: Until) -> Poll<Result<(), Ended>> {
        if !self.is_met(until) {
            if let Poll::Ready(Err(ended)) = self.poll_driving(cx, Self::poll_write_out) {
                self.end(ended);
            }
        }
        if let Some(ended) = &self.ended {
            return Poll::Ready(Err(ended.clone()));
        }
        if self.is_met(until) {
            return Poll::Ready(Ok(()));
        }
        self.waiters.writer = Some((cx.waker().clone(), until));
        self.leave_to_driver();
        Poll::Pending
    }

    /// Waits until the connection has ended.
    pub(crate) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        if let Some(ended) = &self.ended {
            return Poll::Ready(ended.clone());
        }
        self.waiters.watcher = Some(cx.waker().clone());
        self.leave_to_driver();
        Poll::Pending
    }

    /// Something is queued or waited for. Outside its turn the driver must be told.
    pub(crate) fn leave_to_driver(&mut self) {
        if !self.driving {
            self.wake_driver();
        }
    }

    /// True if a message of so many bytes can be handed over now.
    #[inline]
    pub(crate) fn has_room_for(&self, len: usize) -> bool {
        !self.out.is_above_high_water() && Sender::fits(len, &self.out)
    }

    fn is_closing(&self) -> bool {
        matches!(self.socket, SocketState::Closing(..))
    }

    fn is_met(&self, until: Until) -> bool {
        match until {
            Until::Room(least) => !self.out.is_above_high_water() && self.out.room() >= least,
            Until::Flushed => self.out.is_empty() && self.unflushed == 0,
            Until::Fits(len) => self.has_room_for(len),
        }
    }
}
