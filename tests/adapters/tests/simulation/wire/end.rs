//! One end of the wire, as a transport.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use endwell::Transport;

use super::{EndOfStream, Line, Way, Weather, WireEnd, wake};
use crate::world::{Hold, World};

impl WireEnd {
    /// The world that it is in.
    pub(crate) fn world(&self) -> World {
        self.world.clone()
    }

    /// The turn of the task is used up, now and then.
    fn is_out_of_turn(&self, cx: &Context<'_>, line: &mut Line) -> bool {
        let asked = std::mem::take(&mut line.ends[self.side].out_of_turn);
        let times = line.weather.turns;
        let over = asked || times.is_some_and(|times| self.world.random(|random| random.one_in(times)));
        if over {
            self.world.fault("turn used up");
            cx.waker().wake_by_ref();
        }
        over
    }
}

fn broken<R>(line: &Line) -> Poll<io::Result<R>> {
    Poll::Ready(Err(kind(line).into()))
}

fn kind(line: &Line) -> io::ErrorKind {
    if line.is_cut_through() { io::ErrorKind::TimedOut } else { io::ErrorKind::ConnectionReset }
}

impl Transport for WireEnd {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        assert!(!buffer.is_empty(), "a read of nothing");
        let mut line = self.line.hold();
        self.found_nothing = false;
        if line.ends[self.side].broken {
            return broken(&line);
        }
        if self.is_out_of_turn(cx, &mut line) {
            return Poll::Pending;
        }
        let longest = line.weather.longest;
        let peer = 1 - self.side;
        if line.weather.holds.is_none() {
            line.send_on(peer, &self.world);
        } else if line.weather.kernel.is_some() {
            line.transmit(peer, &self.world);
        }
        if line.ends[self.side].broken {
            return broken(&line);
        }
        let is_end_lost = line.is_end_lost(peer);
        let way = &mut line.ways[peer];
        let available = way.arrived.len().min(buffer.len()).min(longest);
        if available > 0 && way.stalled_until.is_none() {
            let len = 1 + self.world.random(|random| random.below(available));
            if len < way.arrived.len() {
                self.world.fault("split read");
            }
            for (to, from) in buffer.iter_mut().zip(way.arrived.drain(..len)) {
                *to = from;
            }
            way.read += len;
            if line.weather.kernel.is_some() {
                line.transmit(peer, &self.world);
            }
            if line.weather.kernel.is_none() || line.room(peer) > 0 {
                wake(&mut line.ways[peer].writer);
            }
            self.world.progress();
            return Poll::Ready(Ok(len));
        }
        if way.end.is_some()
            && !is_end_lost
            && way.in_flight + way.held.len() + way.buffered.len() + way.arrived.len() == 0
        {
            return Poll::Ready(Ok(0));
        }
        self.found_nothing = true;
        way.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let total: usize = slices.iter().map(|slice| slice.len()).sum();
        assert!(total > 0, "a write of nothing");
        let mut line = self.line.hold();
        let side = self.side;
        if line.ends[side].broken {
            return broken(&line);
        }
        match line.ways[side].end {
            Some(EndOfStream::BySender) => panic!("written behind the end of the stream"),
            Some(EndOfStream::ByCut) => return broken(&line),
            None => {}
        }
        let asked = std::mem::take(&mut line.ends[side].out_of_turn);
        let over = self.is_out_of_turn(cx, &mut line);
        line.ends[side].out_of_turn = asked;
        if over {
            return Poll::Pending;
        }
        line.send_on(side, &self.world);
        if line.ends[side].broken || line.ways[side].end.is_some() {
            return broken(&line);
        }
        let Weather { longest, holds, kernel, .. } = line.weather;
        let Way { held, stalled_until, .. } = &line.ways[side];
        let room = match holds {
            Some(holds) => holds.saturating_sub(held.len()),
            None if held.is_empty() && (stalled_until.is_none() || kernel.is_some()) => line.room(side),
            None => 0,
        };
        let way = &mut line.ways[side];
        let now = self.world.now().since_epoch();
        if room == 0 {
            way.refused.get_or_insert(now);
            way.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        way.refused = None;
        let len = 1 + self.world.random(|random| random.below(room.min(total).min(longest)));
        if len < total {
            self.world.fault("split write");
        }
        let bytes = slices.iter().flat_map(|slice| slice.iter().copied()).take(len);
        way.held.extend(bytes.clone());
        way.taken.extend(bytes);
        way.takes.push((now, way.taken.len()));
        if holds.is_none() {
            line.send_on(side, &self.world);
        } else {
            self.world.fault("output held back");
        }
        self.world.progress();
        Poll::Ready(Ok(len))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut line = self.line.hold();
        if line.ends[self.side].broken {
            return broken(&line);
        }
        line.send_on(self.side, &self.world);
        if line.weather.holds.is_none() {
            // Nothing above the wire holds anything back; what a stall keeps is the wire's.
            return Poll::Ready(Ok(()));
        }
        let way = &mut line.ways[self.side];
        if way.held.is_empty() {
            return Poll::Ready(Ok(()));
        }
        if way.end == Some(EndOfStream::ByCut) && way.stalled_until.is_none() {
            // The peer is gone, and its system says so.
            return broken(&line);
        }
        way.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_flush(cx))?;
        let mut line = self.line.hold();
        if line.is_cut_through() {
            line.is_unacknowledged(self.side, self.world.now().since_epoch());
        }
        let way = &mut line.ways[self.side];
        way.end.get_or_insert(EndOfStream::BySender);
        wake(&mut way.reader);
        line.ends[self.side].ended_writing = true;
        self.world.trace(|| format!("end {} writes no more", self.side));
        self.world.progress();
        Poll::Ready(Ok(()))
    }

    fn reset(&mut self) {
        self.line.hold().ends[self.side].resets = true;
    }

    fn found_nothing(&self) -> bool {
        self.found_nothing
    }

    fn unacknowledged(&self) -> Option<u64> {
        let line = self.line.hold();
        let Way { buffered, in_flight, .. } = &line.ways[self.side];
        line.weather.tells().then_some((buffered.len() + in_flight) as u64)
    }

    fn take_error(&self) -> Option<io::Error> {
        let line = self.line.hold();
        line.ends[self.side].broken.then(|| kind(&line).into())
    }
}

impl Drop for WireEnd {
    /// As a socket closes: the peer reads the end behind what was sent, unless what it has sent was not read.
    fn drop(&mut self) {
        let mut line = self.line.hold();
        let (side, peer) = (self.side, 1 - self.side);
        line.ends[side].dropped = Some(self.world.now().since_epoch());
        self.world.trace(|| format!("end {side} is dropped"));
        if line.is_left() {
            // Nothing of it reaches the other end, or that is told already.
            return;
        }
        let unread = line.ways[peer].arrived.len() + line.ways[peer].in_flight;
        if line.ends[side].resets || unread > 0 {
            return line.break_off();
        }
        // What a layer held back is lost.
        if line.weather.holds.is_some() {
            line.ways[side].held.clear();
        }
        line.ways[side].end.get_or_insert(EndOfStream::BySender);
        wake(&mut line.ways[side].reader);
        // Who writes to it is told.
        line.ways[peer].end.get_or_insert(EndOfStream::ByCut);
        wake(&mut line.ways[peer].writer);
    }
}
