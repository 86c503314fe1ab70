//! Sends queued output to the transport, and wakes the tasks that wait for that.

use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use bytes::Buf;
use endwell_core::ws::{Sender, Writing};
use endwell_core::{Bound, Deadline, Exceeded, Instant, Limit};

use super::waiters::{Side, Turn, Until};
use super::{SocketState, Wire};
use crate::Ended;
use crate::ws::{Next, Position};

/// Writes after which the driver does other work before it asks outlets for more: producers may be as fast as the wire.
const TURN: usize = 32;

/// The slices of one vectored write.
const SLICES: usize = 16;

impl Wire {
    pub(crate) fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        let ended = self.transport.poll_end_write(cx);
        self.poll_held_back(ended)
    }

    /// Writes all queued output. If outlets keep adding more, the rest is left to the next turn.
    pub(crate) fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        let mut writes = 0;
        loop {
            if let SocketState::Open(session) = &mut self.socket {
                session.settle(&mut self.out);
            }
            if writes < TURN && !self.holds_outlets_back() {
                self.take_from_outlets();
            } else if writes == TURN && self.queue.is_some() {
                self.wake_driver();
            }
            if self.out.is_held() {
                self.out.poll(self.transport.now(), || None)?;
            }
            if !self.out.has_remaining() {
                if self.queue.is_some() && self.holds_outlets_back() {
                    // Waiting tasks are woken in this turn, and outlets continue in the next.
                    self.wake_driver();
                }
                break;
            }
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
                Poll::Ready(Ok(count)) => {
                    self.wrote(count);
                    writes += 1;
                }
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
                Poll::Pending => {
                    let Self { out, transport, .. } = self;
                    out.poll(transport.now(), || transport.unacknowledged())?;
                    return Poll::Pending;
                }
            }
        }
        if self.unflushed > 0 {
            let flushed = self.transport.poll_flush(cx);
            ready!(self.poll_held_back(flushed))?;
            self.unflushed = 0;
        }
        if self.out.is_held() {
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    /// Appends messages of outlets while little is queued: so a ping or a pong waits for half a high-water mark and one
    /// message at most, whatever the outlets hold, and reading continues.
    fn take_from_outlets(&mut self) {
        let Self { queue: Some(queue), socket, out, driver, waiters, woken, .. } = self else { return };
        let close = loop {
            let SocketState::Open(session) = &mut *socket else { return };
            if out.len() > out.limits().high_water / 2 {
                return;
            }
            let Writing::Idle(sender) = session.writing() else { return };
            let position = position(out);
            match queue.next(|len| Sender::fits(len, out), position, driver.as_ref(), woken) {
                Next::Message(message) => {
                    // It fits, by the line above.
                    let _ = message.write(sender, out);
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
        let waits = |slot: &Option<_>| matches!(slot, Some((_, Until::Room(_) | Until::Fits(_))));
        self.waiters.turn == Turn::Rights && slots.into_iter().any(waits)
    }

    /// The position of the output.
    pub(super) fn position(&self) -> Position {
        position(&self.out)
    }

    /// Counts `count` bytes that the transport took. Bytes taken before the last high-water mark of bytes count as
    /// passed on: no lower layer is assumed to hold more.
    fn wrote(&mut self, count: usize) {
        self.out.advance(count);
        let most = self.out.limits().high_water.max(1);
        self.unflushed = self.unflushed.saturating_add(count);
        if self.unflushed > most.saturating_mul(2) {
            self.unflushed = most;
            self.held_back = None;
        }
    }

    /// True if the peer still takes what was written: it is too early to expect its answer.
    pub(crate) fn is_on_its_way(&mut self) -> bool {
        let Self { out, transport, .. } = self;
        out.is_on_its_way(transport.now(), || transport.unacknowledged())
    }

    /// Bounds the time that a lower layer takes for its part.
    fn poll_held_back(&mut self, polled: Poll<io::Result<()>>) -> Poll<Result<(), Ended>> {
        if polled.is_ready() {
            self.held_back = None;
            return polled.map_err(Ended::from);
        }
        let now = self.transport.now();
        self.held_back.get_or_insert(now);
        match self.held_back_bound() {
            Some((until, bound)) if now >= until => {
                Poll::Ready(Err(Exceeded { limit: Limit::WriteProgress, bound }.into()))
            }
            _ => Poll::Pending,
        }
    }

    /// When a lower layer must have done its part.
    pub(super) fn held_back_until(&self) -> Option<Deadline> {
        self.held_back_bound().map(|(at, _)| Deadline { at, reason: Limit::WriteProgress })
    }

    /// Its progress is not visible, so it has the time for all that it was given, if that is bounded.
    fn held_back_bound(&self) -> Option<(Instant, Bound)> {
        let since = self.held_back?;
        let pace = *self.out.pace();
        let bytes = u64::try_from(self.unflushed).unwrap_or(u64::MAX);
        let (time, bound) = match (pace.total, pace.silence) {
            (Some(total), _) => (total.time(bytes), Bound::Total(total)),
            (None, silence) => silence.map(|silence| (silence, Bound::Silence(silence)))?,
        };
        Some((since.saturating_add(time), bound))
    }

    /// Why nothing more can be written, though a client may still read.
    pub(crate) fn write_error(&self) -> Option<&Ended> {
        self.ended.as_deref().or(self.http.write_error())
    }

    /// Waits until the output has reached `until`.
    pub(crate) fn poll_output(
        &mut self,
        cx: &mut Context<'_>,
        side: Side,
        until: Until,
    ) -> Poll<Result<(), Ended>> {
        if !self.is_met(until) {
            if let Poll::Ready(Err(ended)) = self.poll_driving(cx, Self::poll_write_out) {
                self.end(ended);
            }
        }
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
    pub(crate) fn has_room_for(&self, len: usize) -> bool {
        self.out.len() <= self.out.limits().high_water / 2 && Sender::fits(len, &self.out)
    }

    /// True if room was promised for a message of `len` bytes, and there is room: if needed in the other half of the
    /// high-water mark, once for each promise. Otherwise a task that was woken for room would find again and again that
    /// outlets have taken it.
    pub(crate) fn claims_room_for(&mut self, len: usize) -> bool {
        self.waiters.promised.take().is_some_and(|promised| len <= promised) && Sender::fits(len, &self.out)
    }

    pub(super) fn is_flushed(&self) -> bool {
        self.out.is_empty() && self.unflushed == 0
    }

    pub(super) fn is_met(&self, until: Until) -> bool {
        match until {
            Until::Room(least) => !self.out.is_above_high_water() && self.out.room() >= least,
            Until::Flushed => self.is_flushed(),
            Until::Drained => self.is_flushed() && self.queue.as_ref().is_none_or(|queue| queue.is_empty()),
            Until::Fits(len) => self.has_room_for(len),
            Until::Wanted => self.http.is_settled(),
        }
    }
}

fn position(out: &endwell_core::Outbox) -> Position {
    let queued = u64::try_from(out.len()).unwrap_or(u64::MAX);
    Position { sent: out.sent(), written: out.sent().saturating_add(queued) }
}
