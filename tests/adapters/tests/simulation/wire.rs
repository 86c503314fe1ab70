//! An in-memory wire between two transports, that does by seed what networks and encryption layers do.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use crate::world::World;

mod end;
mod laws;
mod leaving;
mod weather;

use leaving::Left;
pub(crate) use leaving::{KEEP_ALIVE, Leaving, RETRANSMISSIONS};
pub(crate) use weather::{Cut, Kernel, Weather};

/// Both directions.
pub(crate) struct Line {
    weather: Weather,
    ways: [Way; 2],
    ends: [EndState; 2],
    left: Option<Left>,
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
    let line = Line { weather, ways: Default::default(), ends: Default::default(), left: None };
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
        self.give_up(now);
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
    }

    /// When something is due.
    pub(crate) fn next(&self) -> Option<Duration> {
        let due = |way: &Way| way.stalled_until.or_else(|| way.moving.front().map(|(at, _)| *at));
        self.ways.iter().filter_map(due).chain(self.next_to_give_up()).min()
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
                    if !way.arrived.is_empty() {
                        // What lay there when the world went on is out of reach before all of it was read.
                        self.ends[1 - side].lying = None;
                    }
                    world.fault("stall, then a smaller window");
                    return;
                }
            }
            let is_void = self.is_cut_through();
            let way = &mut self.ways[side];
            let cut = self.weather.cut.filter(|(direction, ..)| *direction == side && !is_void);
            let cut = cut.filter(|(_, behind, _)| way.moved + len >= *behind);
            if let Some((_, behind, _)) = cut {
                len = behind - way.moved;
            }
            let queue = if kernel.is_some() { &mut way.buffered } else { &mut way.held };
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
            if is_void {
                self.is_unacknowledged(side, now);
                continue;
            }
            let way = &mut self.ways[side];
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
