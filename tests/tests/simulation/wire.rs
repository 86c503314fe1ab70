//! An in-memory wire between two transports, that does by seed what networks and encryption layers do.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use endwell::Transport;
use endwell::core::Instant;

use crate::world::{Hold, World};

mod laws;
mod weather;

pub(crate) use weather::{Cut, Kernel, Weather};

/// Both directions.
pub(crate) struct Line {
    weather: Weather,
    ways: [Way; 2],
    ends: [EndState; 2],
}

/// One direction, by the number of its sender.
#[derive(Default)]
struct Way {
    /// What a layer above the wire holds back, or, without one, what a stall does.
    held: VecDeque<u8>,
    /// What the kernel buffers.
    buffered: VecDeque<u8>,
    /// The kernel's buffer was full, and not enough of it is free yet.
    full: bool,
    moving: VecDeque<(Duration, Vec<u8>)>,
    moved: usize,
    arrived: VecDeque<u8>,
    /// Bytes that its receiver has read.
    read: usize,
    /// Bytes in `moving`.
    in_flight: usize,
    /// When the last of them arrives, or has.
    last: Duration,
    /// All that the sender handed over.
    taken: Vec<u8>,
    end: Option<EndOfStream>,
    stalled_until: Option<Duration>,
    shrunk: bool,
    /// Since when its sender has something to write and nothing is taken.
    refused: Option<Duration>,
    /// When how much was taken in all, and when it had moved.
    takes: Vec<(Duration, usize)>,
    moves: Vec<(Duration, usize)>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum EndOfStream {
    BySender,
    ByCut,
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for itself")]
struct EndState {
    broken: bool,
    resets: bool,
    dropped: Option<Duration>,
    sleep: Option<(Duration, Option<Waker>)>,
    /// It is the library's, and so keeps the library's limits.
    keeps_limits: bool,
    /// It said that it writes no more.
    ended_writing: bool,
    /// The next read finds that the turn of the task is used up.
    out_of_turn: bool,
    /// When the world last stood still while something lay unread here.
    lying: Option<Duration>,
}

/// One end, as a transport.
pub(crate) struct WireEnd {
    world: World,
    line: Arc<Mutex<Line>>,
    side: usize,
    found_nothing: bool,
}

/// A wire: what both ends look at, and the ends.
pub(crate) fn wire(world: &World, weather: Weather) -> (Arc<Mutex<Line>>, WireEnd, WireEnd) {
    let line = Line { weather, ways: Default::default(), ends: Default::default() };
    let line = Arc::new(Mutex::new(line));
    world.add_line(&line);
    let end = |side| WireEnd { world: world.clone(), line: Arc::clone(&line), side, found_nothing: true };
    let (one, other) = (end(0), end(1));
    (line, one, other)
}

fn wake(slot: &mut Option<Waker>) {
    if let Some(waker) = slot.take() {
        waker.wake();
    }
}

impl Line {
    /// All that a side handed over to its transport.
    pub(crate) fn taken(&self, side: usize) -> &[u8] {
        &self.ways[side].taken
    }

    /// Bytes of it that a layer above the wire still holds back. Without such a layer, what a stall keeps is the wire's.
    pub(crate) fn held(&self, side: usize) -> usize {
        self.weather.holds.map_or(0, |_| self.ways[side].held.len())
    }

    /// Bytes of it that the other side has read.
    pub(crate) fn read(&self, side: usize) -> usize {
        self.ways[side].read
    }

    /// Bytes of it that came onto the wire.
    pub(crate) fn moved(&self, side: usize) -> usize {
        self.ways[side].moved
    }

    /// True if a side can hand over nothing now, or never again.
    pub(crate) fn is_blocked(&self, side: usize) -> bool {
        let Way { writer, stalled_until, end, .. } = &self.ways[side];
        writer.is_some() || stalled_until.is_some() || end.is_some() || self.ends[side].broken
    }

    pub(crate) fn is_dropped(&self, side: usize) -> bool {
        self.ends[side].dropped.is_some()
    }

    /// Nobody is told of anything any more.
    pub(crate) fn forget(&mut self) {
        for way in &mut self.ways {
            (way.reader, way.writer) = (None, None);
        }
    }

    /// What is due by `now` happens.
    pub(crate) fn pass(&mut self, now: Duration) {
        self.judge_stalls(now);
        for way in &mut self.ways {
            if way.stalled_until.is_some_and(|until| until <= now) {
                way.stalled_until = None;
                wake(&mut way.reader);
                wake(&mut way.writer);
            }
            if way.stalled_until.is_some() {
                continue;
            }
            while way.moving.front().is_some_and(|(at, _)| *at <= now) {
                let Some((_, bytes)) = way.moving.pop_front() else { break };
                way.in_flight -= bytes.len();
                if let (Some(refused), true) = (&mut way.refused, self.weather.tells()) {
                    // Acknowledged is as good as taken.
                    *refused = now;
                }
                way.arrived.extend(bytes);
                wake(&mut way.reader);
            }
        }
        for end in &mut self.ends {
            if let Some((until, waker)) = &mut end.sleep {
                if *until <= now {
                    wake(waker);
                }
            }
        }
    }

    /// When something is due.
    pub(crate) fn next(&self) -> Option<Duration> {
        let ways = self
            .ways
            .iter()
            .filter_map(|way| way.stalled_until.or_else(|| way.moving.front().map(|(at, _)| *at)));
        let sleeps = self.ends.iter().filter_map(|end| {
            end.sleep.as_ref().filter(|(_, waker)| waker.is_some()).map(|(until, _)| *until)
        });
        ways.chain(sleeps).min()
    }

    /// Both directions fail: nobody is at the other end, or the network says so.
    fn break_off(&mut self) {
        for (way, end) in self.ways.iter_mut().zip(&mut self.ends) {
            end.broken = true;
            way.moving.clear();
            way.in_flight = 0;
            way.arrived.clear();
            way.held.clear();
            way.buffered.clear();
            wake(&mut way.reader);
            wake(&mut way.writer);
        }
    }

    /// How much the wire takes of a side now, if it is not stalled.
    fn room(&mut self, side: usize) -> usize {
        let Weather { kernel, window, .. } = self.weather;
        let way = &mut self.ways[side];
        let Some(kernel) = kernel else {
            let window = if way.shrunk { window.div_ceil(2) } else { window };
            return window.saturating_sub(way.in_flight + way.arrived.len());
        };
        kernel.room(way.buffered.len(), &mut way.full)
    }

    /// Moves what is held back onto the wire, as far as there is room.
    fn send_on(&mut self, side: usize, world: &World) {
        if self.weather.kernel.is_none() {
            return self.transmit(side, world);
        }
        loop {
            let len = self.room(side).min(self.ways[side].held.len());
            let way = &mut self.ways[side];
            way.buffered.extend(way.held.drain(..len));
            let before = way.buffered.len();
            self.transmit(side, world);
            if self.ways[side].buffered.len() == before {
                return;
            }
        }
    }

    /// Sends what the kernel has, as far as the window goes.
    fn transmit(&mut self, side: usize, world: &World) {
        let Weather { window, kernel, rate, .. } = self.weather;
        loop {
            let way = &mut self.ways[side];
            let queue = if kernel.is_some() { &mut way.buffered } else { &mut way.held };
            let window = if way.shrunk { window.div_ceil(2) } else { window };
            let room = window.saturating_sub(way.in_flight + way.arrived.len());
            let mut len = room.min(queue.len());
            if len == 0 || way.stalled_until.is_some() || way.end == Some(EndOfStream::ByCut) {
                return;
            }
            if let Some(rate) = rate {
                // As a kernel does, it sends a whole segment or the rest.
                let segment = (rate / 4).max(1).min(window).min(queue.len());
                if len < segment {
                    return;
                }
                len = segment;
            }
            if let Some((direction, behind, time)) = self.weather.stall {
                if direction == side && way.moved + len > behind && !way.shrunk {
                    way.shrunk = true;
                    way.stalled_until = Some(world.now().since_epoch() + time);
                    world.fault("stall, then a smaller window");
                    return;
                }
            }
            let cut = self.weather.cut.filter(|(direction, ..)| *direction == side);
            let cut = cut.filter(|(_, behind, _)| way.moved + len >= *behind);
            if let Some((_, behind, _)) = cut {
                len = behind - way.moved;
            }
            let bytes: Vec<u8> = queue.drain(..len).collect();
            let delay = self.weather.delay.as_nanos() as usize + 1;
            let delay = Duration::from_nanos(world.random(|random| random.below(delay)) as u64);
            let now = world.now().since_epoch();
            let after = way.moving.back().map_or(way.last, |(last, _)| *last);
            let pace = rate.map_or(0, |rate| len as u64 * 1_000_000_000 / rate as u64);
            let at = (now + delay).max(after.max(now) + Duration::from_nanos(pace));
            way.last = at;
            way.moved += len;
            way.moves.push((now, way.moved));
            way.in_flight += len;
            way.moving.push_back((at, bytes));
            match cut {
                Some((_, _, Cut::End)) => {
                    way.end = Some(EndOfStream::ByCut);
                    way.held.clear();
                    way.buffered.clear();
                    wake(&mut way.reader);
                    world.fault("cut with end of stream");
                }
                Some((_, _, Cut::Reset)) => {
                    world.fault("cut with reset");
                    self.break_off();
                }
                None => {}
            }
        }
    }
}

impl WireEnd {
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

fn broken<R>() -> Poll<io::Result<R>> {
    Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
}

impl Transport for WireEnd {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        assert!(!buffer.is_empty(), "a read of nothing");
        let mut line = self.line.hold();
        self.found_nothing = false;
        if line.ends[self.side].broken {
            return broken();
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
            return broken();
        }
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
        if way.end.is_some() && way.in_flight + way.held.len() + way.buffered.len() + way.arrived.len() == 0 {
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
            return broken();
        }
        match line.ways[side].end {
            Some(EndOfStream::BySender) => panic!("written behind the end of the stream"),
            Some(EndOfStream::ByCut) => return broken(),
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
            return broken();
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
            return broken();
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
            return broken();
        }
        way.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_flush(cx))?;
        let mut line = self.line.hold();
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

    fn now(&self) -> Instant {
        self.world.now()
    }

    fn poll_sleep(&mut self, cx: &mut Context<'_>, until: Instant) -> Poll<()> {
        let (now, until) = (self.world.now().since_epoch(), until.since_epoch());
        let mut line = self.line.hold();
        let sleep = &mut line.ends[self.side].sleep;
        if let Some((before, Some(waker))) = sleep {
            let again = *before == until && waker.will_wake(cx.waker()) && now < until;
            assert!(!again, "a sleep is asked for twice");
        }
        if now >= until {
            *sleep = None;
            return Poll::Ready(());
        }
        *sleep = Some((until, Some(cx.waker().clone())));
        Poll::Pending
    }

    fn found_nothing(&self) -> bool {
        self.found_nothing
    }

    fn unacknowledged(&self) -> Option<u64> {
        let line = self.line.hold();
        let Way { buffered, in_flight, .. } = &line.ways[self.side];
        line.weather.tells().then_some((buffered.len() + in_flight) as u64)
    }
}

impl Drop for WireEnd {
    /// As a socket closes: the peer reads the end behind what was sent, unless what it has sent was not read.
    fn drop(&mut self) {
        let mut line = self.line.hold();
        let (side, peer) = (self.side, 1 - self.side);
        line.ends[side].dropped = Some(self.world.now().since_epoch());
        line.ends[side].sleep = None;
        self.world.trace(|| format!("end {side} is dropped"));
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
