//! The peer and the clock: bytes in pieces, then the end of the stream or silence.

use std::time::Duration;

use bytes::BytesMut;
use endwell_core::{Bound, Deadline, Exceeded, Inbox, Instant, Total};

use crate::Peer;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    Whole,
    Pieces,
    Timed,
}

pub struct Feed<'a> {
    peer: &'a Peer<'a>,
    arrival: Arrival,
    position: usize,
    pieces: usize,
    has_waited: bool,
    pub now: Instant,
    /// When the wait began that is going on.
    began: Instant,
    /// Bounds the run: every wait brings a byte, the end, or a limit.
    waits: usize,
}

impl<'a> Feed<'a> {
    pub fn new(peer: &'a Peer<'a>, arrival: Arrival) -> Self {
        Self {
            peer,
            arrival,
            position: 0,
            pieces: 0,
            has_waited: false,
            now: Instant::default(),
            began: Instant::default(),
            waits: 0,
        }
    }

    pub fn position(&self) -> usize {
        self.position
    }

    /// All that the peer sends.
    pub fn stream(&self) -> &'a [u8] {
        self.peer.stream
    }

    pub fn rest(&self) -> &'a [u8] {
        &self.peer.stream[self.position..]
    }

    pub fn is_timed(&self) -> bool {
        self.arrival == Arrival::Timed
    }

    /// The stream is looked at, and then the application takes its time.
    pub fn pause(&mut self, inbox: &mut Inbox) {
        self.begin();
        if self.is_timed() {
            inbox.dry(self.now);
            self.now = self.now.saturating_add(self.peer.gap(self.pieces));
            self.has_waited = false;
        }
    }

    /// Time passes in which the stream is not looked at.
    pub fn idle(&mut self, time: Duration) {
        self.now = self.now.saturating_add(time);
        self.has_waited = false;
    }

    /// From here on the peer is waited for.
    pub fn begin(&mut self) {
        self.began = self.now;
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

    /// A state waits: what happens next.
    pub fn next(&mut self, inbox: &mut Inbox, deadline: Option<Deadline>) {
        self.waits += 1;
        assert!(self.waits < 4 * self.peer.stream.len() + 100, "the machine does not end");
        assert!(!inbox.has_ended(), "waits for more behind the end of the stream");
        if let Some(deadline) = deadline.filter(|_| self.has_waited) {
            assert!(deadline.at > self.now, "{deadline:?} has passed at {:?}", self.now);
        }
        if self.rest().is_empty() {
            return self.finish(inbox, deadline);
        }
        if self.arrival != Arrival::Whole && !self.has_waited {
            // A read finds nothing before a piece comes.
            let gap = if self.is_timed() { self.peer.gap(self.pieces) } else { Default::default() };
            self.now = self.now.saturating_add(gap);
            self.has_waited = true;
            return inbox.dry(self.now);
        }
        self.has_waited = false;
        let piece = if self.arrival == Arrival::Whole { usize::MAX } else { self.peer.piece(self.pieces) };
        self.pieces += 1;
        let piece = &self.rest()[..piece.min(self.rest().len())];
        let taken = if self.arrival == Arrival::Pieces { lent(inbox, piece) } else { inbox.feed(piece) };
        assert!(taken > 0, "a state waits and leaves no room");
        assert!(inbox.len() <= inbox.limit(), "more is held than the bound");
        self.position += taken;
    }

    fn finish(&mut self, inbox: &mut Inbox, deadline: Option<Deadline>) {
        if !(self.is_timed() && self.peer.quiet) {
            return inbox.end();
        }
        if self.has_waited {
            self.now = deadline.expect("silence has a deadline").at;
        }
        self.has_waited = true;
        inbox.dry(self.now);
    }
}

/// As a driver with one scratch buffer for all connections does it.
fn lent(inbox: &mut Inbox, piece: &[u8]) -> usize {
    let before = inbox.len();
    let Ok(()) = inbox.lend(BytesMut::zeroed(256)) else { return inbox.feed(piece) };
    let room = inbox.room();
    let len = room.len().min(piece.len());
    room[..len].copy_from_slice(&piece[..len]);
    inbox.filled(len);
    assert_eq!(inbox.len(), before + len);
    if len % 2 == 0 {
        let held = inbox.unread().to_vec();
        inbox.reclaim();
        assert_eq!(inbox.unread(), held);
    }
    len
}
