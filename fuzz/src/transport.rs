//! The transport and the clock: the peer's bytes in pieces, then the end of its stream or silence; and what it is sent.

use std::convert::Infallible;
use std::time::Duration;

use bytes::BytesMut;
use endwell_core::{Arrived, Bound, Deadline, Exceeded, Instant, Io, Look, Total, Wrote};

use crate::Peer;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    Whole,
    Pieces,
    Timed,
}

pub struct Transport<'a> {
    peer: &'a Peer<'a>,
    arrival: Arrival,
    /// Bytes that a connection may hold unread.
    bound: usize,
    position: usize,
    pieces: usize,
    has_waited: bool,
    now: Instant,
    /// When the wait began that is going on.
    began: Instant,
    /// Bounds the run: every turn brings a byte, the end, or a limit.
    turns: usize,
    writes: usize,
    /// All that was sent.
    pub sent: Vec<u8>,
}

impl<'a> Transport<'a> {
    pub fn new(peer: &'a Peer<'a>, arrival: Arrival, bound: usize) -> Self {
        let (now, began) = Default::default();
        let (position, pieces, turns, writes) = Default::default();
        let (has_waited, sent) = Default::default();
        Self { peer, arrival, bound, position, pieces, has_waited, now, began, turns, writes, sent }
    }

    /// All that the peer sends.
    pub fn stream(&self) -> &'a [u8] {
        self.peer.stream
    }

    /// What the peer has not sent yet.
    pub fn rest(&self) -> &'a [u8] {
        &self.peer.stream[self.position..]
    }

    /// How much of the stream the connection has consumed.
    pub fn consumed(&self, io: &Io<'_>) -> usize {
        self.position - io.unread()
    }

    pub fn is_timed(&self) -> bool {
        self.arrival == Arrival::Timed
    }

    /// The peer says nothing more, and does not end its stream.
    pub fn is_silent(&self) -> bool {
        self.is_timed() && self.peer.quiet && self.rest().is_empty()
    }

    /// From here on the peer is waited for.
    pub fn begin(&mut self) {
        self.began = self.now;
    }

    /// The stream is looked at, and then the application takes its time.
    pub fn pause(&mut self, mut io: Io<'_>) {
        self.begin();
        if self.is_timed() {
            let Ok(_) = io.read_ahead(self.now, |_| Ok::<_, Infallible>(Look::Nothing));
            self.idle(self.peer.gap(self.pieces));
        }
    }

    /// A look finds nothing, while the application does something else.
    pub fn nothing_ahead(&self, mut io: Io<'_>) {
        let Ok(_) = io.read_ahead(self.now, |_| Ok::<_, Infallible>(Look::Nothing));
    }

    /// Time passes in which the stream is not looked at.
    pub fn idle(&mut self, time: Duration) {
        self.now = self.now.saturating_add(time);
        self.has_waited = false;
    }

    /// A time limit was met: it is the peer that was slow, and not the application.
    pub fn was_due(&self, exceeded: &Exceeded) {
        let waited = self.now.saturating_since(self.began);
        match exceeded.bound {
            Bound::Time(time) | Bound::Silence(time) | Bound::Total(Total { base: time, .. }) => {
                assert!(waited >= time, "{exceeded} after {waited:?}")
            }
            Bound::Bytes(_) | Bound::Count(_) => {}
        }
    }

    /// A state waits, and a driver does what is left to do: it writes all that is queued and reads once.
    pub fn turn(&mut self, mut io: Io<'_>) {
        let queued = io.queued();
        let held = self.flush(&mut io);
        let has_written = io.queued() < queued;
        self.read(io, held, has_written);
    }

    /// The transport takes everything, in pieces of its own choice. If a part must wait, returns until when.
    pub fn flush(&mut self, io: &mut Io<'_>) -> Option<Deadline> {
        loop {
            if self.writes % 7 == 6 && io.queued() > 0 {
                let blocked = self.take(io, 0);
                assert!(matches!(blocked, Wrote::Blocked(Some(_))), "{blocked:?} at once");
            }
            match self.take(io, self.writes * 37 % 911 + 1) {
                Wrote::Something => {}
                Wrote::Empty => return None,
                Wrote::Blocked(deadline) => return Some(deadline.expect("what is held back has a deadline")),
                Wrote::Stalled(exceeded) => panic!("{exceeded}, and everything was taken"),
            }
        }
    }

    /// The transport takes up to `most` bytes.
    pub fn take(&mut self, io: &mut Io<'_>, most: usize) -> Wrote {
        self.writes += 1;
        let queued = io.queued();
        if self.writes % 5 == 0 {
            let memory = io.reclaim_output().unwrap_or_default();
            assert_eq!(io.queued(), queued);
            drop(io.lend_output(memory));
        }
        let before = self.sent.len();
        let Ok(wrote) = io.write(self.now, |chunks| {
            let mut offered = 0;
            for chunk in chunks {
                offered += chunk.len();
                let left = most - (self.sent.len() - before);
                self.sent.extend_from_slice(&chunk[..left.min(chunk.len())]);
            }
            assert!(offered > 0 && offered <= queued, "the chunks are not what may go out");
            Ok::<_, Infallible>((most > 0).then_some(self.sent.len() - before))
        });
        assert!(wrote != Wrote::Empty || io.queued() == 0);
        wrote
    }

    /// Looks at the stream once. `held`: until when a part of the output waits. `has_written`: the state can go on.
    pub fn read(&mut self, mut io: Io<'_>, held: Option<Deadline>, has_written: bool) {
        self.turns += 1;
        assert!(self.turns < 4 * self.peer.stream.len() + 1000, "the machine does not end");
        if io.has_ended() {
            assert!(has_written || held.is_some(), "waits for more behind the end of the stream");
            self.now = held.map_or(self.now, |held| held.at.max(self.now));
            return;
        }
        let is_quiet = self.is_silent();
        if self.arrival != Arrival::Whole && !self.has_waited && !self.rest().is_empty() || is_quiet {
            // A look finds nothing before a piece comes, and silence ends with a deadline.
            if self.is_timed() && !is_quiet {
                self.idle(self.peer.gap(self.pieces));
            }
            self.has_waited = true;
            let deadline = match self.nothing(&mut io) {
                Arrived::Something => return,
                Arrived::Nothing(deadline) => deadline,
                Arrived::Full | Arrived::Cut => None,
            };
            assert!(deadline.is_none_or(|deadline| deadline.at > self.now), "{deadline:?} has passed");
            if is_quiet {
                let deadline = Deadline::earlier(deadline, held);
                self.now = deadline.expect("silence has a deadline").at;
            }
            return;
        }
        self.has_waited = false;
        let taken = self.ahead(&mut io, |io, now, look| {
            let Ok(arrived) = io.read(now, |room| Ok::<_, Infallible>(look(room)));
            arrived != Arrived::Full
        });
        if !taken {
            assert!(has_written || held.is_some(), "a state waits and leaves no room");
            self.now = held.map_or(self.now, |held| held.at.max(self.now));
        }
    }

    /// A look finds nothing.
    pub fn nothing(&self, io: &mut Io<'_>) -> Arrived {
        let Ok(arrived) = io.read(self.now, |_| Ok::<_, Infallible>(Look::Nothing));
        arrived
    }

    /// The next piece arrives, or the end, while nobody waits for it. False if nothing fits.
    pub fn arrive(&mut self, mut io: Io<'_>) -> bool {
        !io.has_ended()
            && self.ahead(&mut io, |io, now, look| {
                let Ok(arrived) = io.read_ahead(now, |room| Ok::<_, Infallible>(look(room)));
                arrived != Arrived::Full
            })
    }

    /// The next piece, or the end. False if nothing fits.
    fn ahead(
        &mut self,
        io: &mut Io<'_>,
        read: impl Fn(&mut Io<'_>, Instant, &mut dyn FnMut(&mut [u8]) -> Look) -> bool,
    ) -> bool {
        let rest = self.rest();
        let len = if self.arrival == Arrival::Whole {
            rest.len()
        } else {
            self.peer.piece(self.pieces).min(rest.len())
        };
        let piece = &rest[..len];
        self.pieces += 1;
        if self.arrival == Arrival::Pieces {
            // As a driver with one scratch buffer for all connections does it.
            drop(io.lend(BytesMut::zeroed(256)));
        }
        let (before, mut taken) = (io.unread(), 0);
        let has_room = loop {
            let piece = &piece[taken..];
            let mut len = 0;
            let has_room = read(io, self.now, &mut |room| {
                len = piece.len().min(room.len());
                room[..len].copy_from_slice(&piece[..len]);
                if len > 0 { Look::Bytes(len) } else { Look::End }
            });
            taken += len;
            let is_full = io.unread() == self.bound;
            if !has_room || is_full || self.arrival != Arrival::Whole || taken == rest.len() {
                break has_room;
            }
        };
        assert_eq!(io.unread(), before + taken);
        assert!(io.unread() <= self.bound, "more is held than the bound");
        self.position += taken;
        if self.arrival == Arrival::Pieces && taken % 2 == 0 {
            let unread = io.unread();
            drop(io.reclaim());
            assert_eq!(io.unread(), unread);
        }
        has_room || taken > 0
    }
}
