//! What a wire has seen, for the laws about time and about who ends the stream.

use std::time::Duration;

use super::{EndState, Line, Way};

/// The time in which the transport of an end may take nothing: the longest silence, and a moment to notice. Twice that where
/// the kernel tells what the peer has: what it took just after a question counts from the next one.
const LONGEST_STALL: Duration = Duration::from_secs(61);
/// The base of the longest time for all that is taken, and the bytes that add a second. No shorter than the silence.
const TOTAL: (Duration, u64) = (Duration::from_secs(60), 500);

/// How long a peer that has taken `bytes` may be reading them, since what it has was asked for: after an eighth of the
/// silence, and a moment to notice.
fn reads(bytes: usize) -> Duration {
    Duration::from_secs(u64::try_from(bytes >> 10).unwrap()).min(TOTAL.0 * 2) + TOTAL.0 / 8 + MOMENT
}

const MOMENT: Duration = Duration::from_secs(1);

impl Line {
    /// From here on the library has this end.
    pub(crate) fn keeps_limits(&mut self, side: usize) {
        self.ends[side].keeps_limits = true;
    }

    /// True if a side ended its stream, and did not only drop it.
    pub(crate) fn ended_writing(&self, side: usize) -> bool {
        self.ends[side].ended_writing
    }

    /// True if a side was dropped when less had been taken from it, or had moved, than its pace asks for, since some moment.
    /// What moves without being asked for, when a stall ends, the side does not see.
    pub(crate) fn was_slow(&self, side: usize) -> bool {
        let dropped = self.ends[side].dropped.unwrap_or_default();
        let is_slow = |all: &[(Duration, usize)]| {
            let total = all.last().map_or(0, |(_, total)| *total);
            all.iter().chain(&[(Duration::ZERO, 0)]).any(|(at, before)| {
                let taken = u64::try_from(total - before).unwrap();
                dropped.saturating_sub(*at) >= TOTAL.0 + Duration::from_secs(taken / TOTAL.1)
            })
        };
        let Way { moves, takes, .. } = &self.ways[side];
        is_slow(moves) || is_slow(takes)
    }

    /// How long a side lived on after the world had stood still while something lay unread here. `None`: it has not, or it
    /// had written its last before, its Close that is.
    pub(crate) fn lived_on(&self, side: usize) -> Option<Duration> {
        let EndState { dropped, lying, .. } = &self.ends[side];
        let lying =
            (*lying).filter(|lying| self.ways[side].takes.last().is_some_and(|(at, _)| at >= lying))?;
        Some(dropped.as_ref()?.saturating_sub(lying))
    }

    /// How long a side may live on, by a bound of its own and the time for what a layer above the wire still holds back of
    /// it, and how long it did: since that layer had passed on the last byte, or if it never did, since it took it.
    pub(crate) fn after_the_last(&self, side: usize, bound: Duration) -> (Duration, Duration) {
        let Way { takes, moves, taken, moved, .. } = &self.ways[side];
        let is_layered = self.weather.holds.is_some();
        let (last, bound) = match (moves.last(), takes.last()) {
            (last, _) if is_layered && *moved == taken.len() => (last, bound),
            (_, last) if is_layered => {
                let bytes = u64::try_from(taken.len()).unwrap();
                (last, bound + TOTAL.0 + Duration::from_secs(bytes / TOTAL.1))
            }
            (_, last) => (last, bound),
        };
        let last = last.map(|(at, _)| *at).unwrap_or_default();
        (self.ends[side].dropped.unwrap_or_default().saturating_sub(last), bound)
    }

    /// True if bytes lie unread at an end of the library's.
    pub(crate) fn has_unread(&self, side: usize) -> bool {
        let way = &self.ways[1 - side];
        let end = &self.ends[side];
        let is_open = end.keeps_limits && end.dropped.is_none() && !end.broken;
        is_open && !way.arrived.is_empty() && way.stalled_until.is_none()
    }

    /// The world stood still for `time`, until now. `short`: whoever finds something has no turn left.
    pub(crate) fn stood_still(&mut self, now: Duration, time: Duration, short: bool) {
        for side in 0..2 {
            if let Some(refused) = &mut self.ways[side].refused {
                *refused += time;
            }
            if self.has_unread(side) {
                self.ends[side].lying = (!self.is_blocked(side)).then_some(now);
                self.ends[side].out_of_turn = short;
            }
        }
    }

    /// No end waits for longer than its limit for its transport to take something.
    pub(crate) fn judge_stalls(&self, now: Duration) {
        for (side, (way, end)) in self.ways.iter().zip(&self.ends).enumerate() {
            let Some(refused) = way.refused.filter(|_| end.keeps_limits && end.dropped.is_none()) else {
                continue;
            };
            let time = now.saturating_sub(refused);
            let tells = self.weather.tells();
            let longest = LONGEST_STALL.max(reads(way.taken.len()));
            assert!(
                time <= longest * if tells { 2 } else { 1 },
                "end {side} lives, and nothing was taken from it for {time:?}"
            );
        }
    }
}
