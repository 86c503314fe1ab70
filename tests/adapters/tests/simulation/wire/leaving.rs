//! How a peer leaves for good, and what the kernels then do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use endwell_core_tests::random::Random;

use super::{EndOfStream, Line, wake};
use crate::world::{Hold, World};

/// A way of leaving for good. In all but the last the leaver is told that its connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// FIN: the socket is closed, and its kernel refuses what comes.
    Closes,
    /// FIN, while the socket stays and is never read again: its kernel takes a window of bytes.
    Deaf,
    /// RST.
    Resets,
    /// FIN, and RST after a time.
    ClosesThenResets(Duration),
    /// The cable is cut: nothing arrives any more, at either end, and nothing is acknowledged.
    Silent,
}

/// A kernel asks a silent connection after 60 s, and then every 15 s, four times (TCP keep-alive, as the adapters set it).
/// It hears of a socket that was closed, and is forgotten there after 60 s, by the first question.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(120);

/// While something is not acknowledged, the kernel sends it again instead of asking, 15 times: Linux's `tcp_retries2`.
pub(crate) const RETRANSMISSIONS: Duration = Duration::from_secs(925);

/// A peer that has left.
pub(super) struct Left {
    way: Leaving,
    at: Duration,
    /// Since when the kernel of each end sends something again.
    unacknowledged: [Option<Duration>; 2],
    /// The end of each direction that did not come through before.
    is_lost: [bool; 2],
}

impl Line {
    /// The peer at `side` leaves for good.
    pub(crate) fn leave(&mut self, side: usize, way: Leaving, world: &World) {
        if self.left.is_some() || (0..2).any(|side| self.ends[side].broken || self.is_dropped(side)) {
            return;
        }
        let at = world.now().since_epoch();
        world.trace(|| format!("end {side} leaves: {way:?}"));
        world.fault(way.name());
        let in_flight = |way: &super::Way| (way.in_flight > 0).then_some(at);
        let unacknowledged = [in_flight(&self.ways[0]), in_flight(&self.ways[1])];
        let is_lost = [0, 1].map(|side| way == Leaving::Silent && self.ways[side].end.is_none());
        self.left = Some(Left { way, at, unacknowledged, is_lost });
        let peer = 1 - side;
        match way {
            Leaving::Resets => self.break_off(),
            Leaving::Closes | Leaving::Deaf | Leaving::ClosesThenResets(_) => {
                let unread = self.ways[peer].arrived.len() + self.ways[peer].in_flight;
                if way == Leaving::Closes && unread > 0 {
                    return self.break_off();
                }
                // What a layer held back is lost.
                if self.weather.holds.is_some() {
                    self.ways[side].held.clear();
                }
                self.ends[side].broken = true;
                self.ways[side].end.get_or_insert(EndOfStream::BySender);
                if way == Leaving::Closes {
                    self.ways[peer].end.get_or_insert(EndOfStream::ByCut);
                }
                for way in &mut self.ways {
                    wake(&mut way.reader);
                    wake(&mut way.writer);
                }
            }
            Leaving::Silent => {
                for way in &mut self.ways {
                    way.moving.clear();
                }
            }
        }
    }

    /// When the peer left, if it has.
    pub(crate) fn left_at(&self) -> Option<Duration> {
        self.left.as_ref().map(|left| left.at)
    }

    /// For how long a side lived on since its peer had left and its transport had last taken something. `None`: the peer has
    /// not left.
    pub(crate) fn lived_on_alone(&self, side: usize) -> Option<Duration> {
        let from = self.left_at()?.max(self.last_taken(side));
        Some(self.ends[side].dropped.unwrap_or_default().saturating_sub(from))
    }

    /// When the transport of a side last took something.
    pub(crate) fn last_taken(&self, side: usize) -> Duration {
        self.ways[side].takes.last().map(|(at, _)| *at).unwrap_or_default()
    }

    /// True if the other end of this one is there no more, so that nothing this one does reaches it.
    pub(super) fn is_left(&self) -> bool {
        self.left.is_some()
    }

    pub(super) fn is_cut_through(&self) -> bool {
        self.left.as_ref().is_some_and(|left| left.way == Leaving::Silent)
    }

    /// True if the end of a direction never comes through.
    pub(super) fn is_end_lost(&self, side: usize) -> bool {
        self.left.as_ref().is_some_and(|left| left.is_lost[side])
    }

    /// The kernel of a side has something to send again, from now on.
    pub(super) fn is_unacknowledged(&mut self, side: usize, now: Duration) {
        if let Some(left) = &mut self.left {
            left.unacknowledged[side].get_or_insert(now);
        }
    }

    /// When the kernel of a side gives up, if it has not.
    pub(crate) fn gives_up_at(&self, side: usize) -> Option<Duration> {
        let left = self.left.as_ref()?;
        let unacknowledged = left.unacknowledged[side].map(|since| since + RETRANSMISSIONS);
        Some(unacknowledged.unwrap_or(left.at + KEEP_ALIVE))
    }

    /// When the kernel of a side gives up.
    fn gives_up(&self, side: usize) -> Option<Duration> {
        let left = self.left.as_ref().filter(|_| !self.ends[side].broken)?;
        match left.way {
            Leaving::Closes => Some(left.at + KEEP_ALIVE),
            Leaving::ClosesThenResets(time) => Some(left.at + time),
            Leaving::Silent => self.gives_up_at(side),
            Leaving::Deaf | Leaving::Resets => None,
        }
    }

    /// When the next kernel gives up.
    pub(super) fn next_to_give_up(&self) -> Option<Duration> {
        (0..2).filter(|side| !self.is_dropped(*side)).filter_map(|side| self.gives_up(side)).min()
    }

    /// Kernels give up.
    pub(super) fn give_up(&mut self, now: Duration) {
        for side in 0..2 {
            if self.gives_up(side).is_some_and(|at| at <= now) {
                self.ends[side].broken = true;
                self.ways[1 - side].arrived.clear();
                wake(&mut self.ways[1 - side].reader);
                wake(&mut self.ways[side].writer);
            }
        }
    }
}

impl Leaving {
    /// Leaves after a time.
    pub(crate) async fn after(self, time: Duration, side: usize, line: Arc<Mutex<Line>>, world: World) {
        world.sleep(time).await;
        line.hold().leave(side, self, &world);
    }

    /// A way, if any, and when.
    pub(crate) fn perhaps(random: &mut Random) -> Option<(Self, Duration)> {
        let way = *random.pick(&Self::ALL);
        random.one_in(4).then(|| (way, Duration::from_millis(random.number() % 1500)))
    }

    pub(crate) const ALL: [Self; 5] = [
        Self::Closes,
        Self::Deaf,
        Self::Resets,
        Self::ClosesThenResets(Duration::from_millis(700)),
        Self::Silent,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Closes => "leaves: FIN",
            Self::Deaf => "leaves: FIN, deaf",
            Self::Resets => "leaves: RST",
            Self::ClosesThenResets(_) => "leaves: FIN, then RST",
            Self::Silent => "leaves: silence",
        }
    }
}
