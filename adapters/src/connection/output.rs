//! Sends queued output to the transport, and wakes the tasks that wait for that.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use endwell_core::{Bound, Deadline, Exceeded, Instant, Limit, Wrote};

use super::waiters::{ForOutput, Side, Turn, Until};
use super::{Connection, State};
use crate::Ended;
use crate::ws::{Next, Position};

/// Writes after which the driver does other work before it asks outlets for more: producers may be as fast as the wire.
const TURN: usize = 32;

/// The slices of one vectored write.
const SLICES: usize = 16;

impl Connection {
    /// Ends the write side.
    pub(crate) fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        let ended = super::open(&mut self.transport).map_err(Ended::transport)?.poll_end_write(cx);
        self.poll_held_back(ended)
    }

    /// Writes all queued output. If outlets keep adding more, the rest is left to the next turn.
    pub(crate) fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        let mut writes = 0;
        loop {
            if writes < TURN && !self.holds_outlets_back() {
                self.take_from_outlets();
            } else if writes == TURN && self.queue.is_some() {
                self.wake_driver();
            }
            let written = self.poll_write(cx);
            match written {
                Ok((Wrote::Something, count)) => {
                    self.wrote(count);
                    self.observe_output();
                    self.work.spend(count);
                    if self.life.counts_output() {
                        self.life.took(self.now);
                    }
                    writes += 1;
                }
                Ok((Wrote::Empty, _)) => {
                    self.write_deadline = None;
                    if self.queue.is_some() && self.holds_outlets_back() {
                        // Waiting tasks are woken in this turn, and outlets continue in the next.
                        self.wake_driver();
                    }
                    return self.poll_flush(cx);
                }
                Ok((Wrote::Blocked(deadline), _)) => {
                    self.write_deadline = deadline.map(|deadline| deadline.at);
                    if self.state.io().is_some_and(|io| io.is_held()) {
                        ready!(self.poll_flush(cx))?;
                    }
                    return Poll::Pending;
                }
                Ok((Wrote::Stalled(exceeded), _)) => return Poll::Ready(Err(Ended::limit(exceeded))),
                Err(ended) => return Poll::Ready(Err(ended)),
            }
        }
    }

    /// Writes once. Returns how many bytes the transport took.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<(Wrote, usize), Ended> {
        let now = self.now;
        let Self { state, transport, .. } = self;
        let Some(io) = state.io() else { return Ok((Wrote::Empty, 0)) };
        let transport = RefCell::new(super::open(transport).map_err(Ended::transport)?);
        let unacknowledged = || transport.try_borrow().ok().and_then(|transport| transport.unacknowledged());
        let mut count = 0;
        let put = |chunks: &mut dyn Iterator<Item = &[u8]>| {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let mut used = 0;
            for (slice, chunk) in slices.iter_mut().zip(chunks) {
                *slice = IoSlice::new(chunk);
                used += 1;
            }
            let slices = slices.get(..used).unwrap_or_default();
            let mut transport = transport.borrow_mut();
            loop {
                return match transport.poll_write(cx, slices) {
                    Poll::Ready(Ok(0)) => Err(Ended::transport(io::ErrorKind::WriteZero.into())),
                    Poll::Ready(Ok(taken)) => {
                        count = taken;
                        Ok(Some(taken))
                    }
                    Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Poll::Ready(Err(error)) => Err(Ended::transport(error)),
                    Poll::Pending => Ok(None),
                };
            }
        };
        let wrote = io.unacknowledged(&unacknowledged).write(now, put)?;
        Ok((wrote, count))
    }

    /// Flushes what a lower layer may hold back.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        if self.unflushed > 0 {
            let flushed = super::open(&mut self.transport).map_err(Ended::transport)?.poll_flush(cx);
            ready!(self.poll_held_back(flushed))?;
            self.unflushed = 0;
            self.tell_held_back();
        }
        Poll::Ready(Ok(()))
    }

    /// Appends messages of outlets while little is queued: so a ping or a pong waits for half a high-water mark and one
    /// message at most, whatever the outlets hold, and reading continues.
    fn take_from_outlets(&mut self) {
        let Self { queue: Some(queue), state, driver, waiters, woken, observed, .. } = self else { return };
        let close = loop {
            let State::Socket(socket) = &mut *state else { return };
            let io = socket.io();
            if io.queued() > io.high_water() / 2 {
                return;
            }
            let position = Position::of(&io);
            let mut writer = socket.writer();
            match queue.next(|len| writer.fits(len), position, driver.as_ref(), woken) {
                Next::Message(message) => {
                    // It fits, by the line above.
                    let _ = message.write(&mut writer);
                    observed.sent_message();
                    waiters.turn = Turn::Rights;
                }
                Next::Close(close) => break close,
                Next::Nothing => return,
            }
        };
        self.close_socket_now(close);
    }

    /// True if it is the turn of a right of the connection that waits for room. Outlets that always have messages would
    /// leave it no room, nor it them: so they take turns.
    fn holds_outlets_back(&self) -> bool {
        let slots = [&self.waiters.reply, &self.waiters.writer];
        let waits = |slot: &Option<Box<ForOutput>>| {
            slot.as_ref().is_some_and(|waiting| matches!(waiting.until, Until::Room(_) | Until::Fits(_)))
        };
        self.waiters.turn == Turn::Rights && slots.into_iter().any(waits)
    }

    /// The position of the output.
    pub(crate) fn position(&mut self) -> Position {
        self.state.io().map(|io| Position::of(&io)).unwrap_or_default()
    }

    /// The number of bytes that are queued.
    #[inline]
    pub(crate) fn queued(&mut self) -> usize {
        self.state.io().map_or(0, |io| io.queued())
    }

    /// The number of bytes that can be queued.
    pub(crate) fn room(&mut self) -> usize {
        self.state.io().map_or(0, |io| io.room())
    }

    /// True if nobody adds to what is queued without waiting.
    pub(crate) fn is_above_high_water(&mut self) -> bool {
        self.state.io().is_some_and(|io| io.is_above_high_water())
    }

    /// Counts `count` bytes that the transport took. Bytes taken before the last high-water mark of bytes count as
    /// passed on: no lower layer is assumed to hold more.
    fn wrote(&mut self, count: usize) {
        let most = self.state.io().map_or(1, |io| io.high_water().max(1));
        self.unflushed = self.unflushed.saturating_add(count);
        if self.unflushed > most.saturating_mul(2) {
            self.unflushed = most;
            self.held_back = None;
        }
        self.tell_held_back();
    }

    /// Tells the state whether a lower layer may hold bytes back.
    pub(crate) fn tell_held_back(&mut self) {
        let is_held_back = self.unflushed > 0;
        if let Some(mut io) = self.state.io() {
            io.set_held_back(is_held_back);
        }
    }

    /// Bounds the time that a lower layer takes for its part.
    fn poll_held_back(&mut self, polled: Poll<io::Result<()>>) -> Poll<Result<(), Ended>> {
        if polled.is_ready() {
            self.held_back = None;
            return polled.map_err(Ended::transport);
        }
        let now = self.now;
        self.held_back.get_or_insert(now);
        match self.held_back_bound() {
            Some((until, bound)) if now >= until => {
                Poll::Ready(Err(Ended::limit(Exceeded { limit: Limit::WriteProgress, bound })))
            }
            _ => Poll::Pending,
        }
    }

    /// When a lower layer must have done its part.
    pub(crate) fn held_back_until(&mut self) -> Option<Deadline> {
        self.held_back_bound().map(|(at, _)| Deadline { at, reason: Limit::WriteProgress })
    }

    /// Its progress is not visible, so it has the time for all that it was given, if that is bounded.
    fn held_back_bound(&mut self) -> Option<(Instant, Bound)> {
        let since = self.held_back?;
        let pace = *self.state.io()?.output_pace();
        let bytes = u64::try_from(self.unflushed).unwrap_or(u64::MAX);
        let (time, bound) = match (pace.total, pace.silence) {
            (Some(total), _) => (total.time(bytes), Bound::Total(total)),
            (None, silence) => silence.map(|silence| (silence, Bound::Silence(silence)))?,
        };
        Some((since.saturating_add(time), bound))
    }

    /// Why nothing more can be written, though a client may still read.
    pub(crate) fn write_error(&mut self) -> Option<&Ended> {
        match (&self.ended, &self.state) {
            (Some(ended), _) | (None, State::Over(ended)) => Some(ended),
            (None, _) => self.own_write_error(),
        }
    }

    /// Why a client can write no more, though it still reads.
    pub(crate) fn own_write_error(&self) -> Option<&Ended> {
        match &self.state {
            State::Client(asking) => asking.write_error(),
            _ => None,
        }
    }

    /// Waits until the output has reached `until`.
    pub(crate) fn poll_output(
        &mut self,
        cx: &mut Context<'_>,
        side: Side,
        until: Until,
    ) -> Poll<Result<(), Ended>> {
        if let Some(ended) = self.write_error() {
            return Poll::Ready(Err(ended.clone()));
        }
        if self.is_met(until) {
            return Poll::Ready(Ok(()));
        }
        let is_new = self.waiters.write(side, until, cx, &mut self.woken);
        self.wait_for_driver(is_new);
        Poll::Pending
    }

    /// True if a message of `len` bytes can be queued now. A task that sends without end leaves the other half of the
    /// high-water mark to the reader: otherwise the reader would never see the output low.
    #[inline]
    pub(crate) fn has_room_for(&mut self, len: usize) -> bool {
        self.state.io().is_some_and(|io| io.queued() <= io.high_water() / 2) && self.fits(len)
    }

    /// True if a message of `len` bytes is accepted now.
    #[inline]
    fn fits(&mut self, len: usize) -> bool {
        match &mut self.state {
            State::Socket(socket) => socket.writer().fits(len),
            State::Within(socket) => socket.writer().fits(len),
            _ => true,
        }
    }

    /// True if room was promised for a message of `len` bytes, and there is room: if needed in the other half of the
    /// high-water mark, once for each promise. Otherwise a task that was woken for room would find again and again that
    /// outlets have taken it.
    pub(crate) fn claims_room_for(&mut self, len: usize) -> bool {
        self.waiters.promised.take().is_some_and(|promised| promised.covers(len)) && self.fits(len)
    }

    pub(crate) fn is_flushed(&mut self) -> bool {
        self.queued() == 0 && self.unflushed == 0
    }

    pub(crate) fn is_met(&mut self, until: Until) -> bool {
        match until {
            Until::Room(least) => !self.is_above_high_water() && self.room() >= least,
            Until::Flushed => self.is_flushed(),
            Until::Drained => self.is_flushed() && self.queue.as_ref().is_none_or(|queue| queue.is_empty()),
            Until::Fits(len) => self.has_room_for(len),
            Until::Ended => false,
            Until::Wanted => self.state.asking().is_none_or(|asking| asking.is_settled()),
        }
    }
}
