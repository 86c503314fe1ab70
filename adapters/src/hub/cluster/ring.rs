//! What a node sent, for those that missed it.

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use super::bounds::{AGAIN_EVERY, KEPT, KEPT_BYTES, KEPT_COST, KEPT_FOR};
use crate::Bytes;

/// The last messages of this node, numbered from 1 without a hole. Those that wait for the bus are its end.
#[derive(Debug)]
pub(super) struct Ring {
    sent: VecDeque<Sent>,
    /// The number of the first that is kept.
    first: u64,
    /// The number of the first that the bus has not taken.
    next: u64,
    /// The numbers of those that the bus gets again.
    again: BTreeSet<u64>,
    bytes: usize,
}

/// A message on its way to the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) subject: String,
    pub(super) header: String,
    pub(super) payload: Bytes,
    at: Instant,
    /// When the bus got it again.
    again: Option<Instant>,
}

impl Sent {
    pub(super) fn new(subject: String, header: String, payload: Bytes, at: Instant) -> Self {
        Self { subject, header, payload, at, again: None }
    }

    fn cost(&self) -> usize {
        self.subject.len() + self.payload.len() + KEPT_COST
    }
}

impl Ring {
    pub(super) fn new() -> Self {
        Self { sent: VecDeque::new(), first: 1, next: 1, again: BTreeSet::new(), bytes: 0 }
    }

    /// The number of the last message.
    pub(super) fn last(&self) -> u64 {
        self.end() - 1
    }

    /// The number of the last message that the bus has taken, or never will.
    pub(super) fn published(&self) -> u64 {
        self.next - 1
    }

    /// The number of the first message that is kept.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    fn end(&self) -> u64 {
        self.first + u64::try_from(self.sent.len()).unwrap_or(u64::MAX)
    }

    /// Keeps a message, whose number is [`last`](Self::last). Returns how many were dropped that the bus had not taken.
    pub(super) fn push(&mut self, sent: Sent, now: Instant) -> u64 {
        self.bytes += sent.cost();
        self.sent.push_back(sent);
        self.trim(now)
    }

    /// Drops what is over the bounds. Returns how many the bus had not taken.
    pub(super) fn trim(&mut self, now: Instant) -> u64 {
        while let Some(oldest) = self.sent.front() {
            let is_old = now.saturating_duration_since(oldest.at) > KEPT_FOR;
            if self.sent.len() <= KEPT && self.bytes <= KEPT_BYTES && !is_old {
                break;
            }
            self.bytes -= oldest.cost();
            self.sent.pop_front();
            self.first += 1;
        }
        let unsent = self.first.saturating_sub(self.next);
        self.next = self.next.max(self.first);
        self.again = self.again.split_off(&self.first);
        unsent
    }

    /// Sends those from `from` to `to` again, as far as they are kept and the bus has had them.
    pub(super) fn again(&mut self, from: u64, to: u64, now: Instant) {
        for number in from.max(self.first)..=to.min(self.published()) {
            let is_due = self.get(number).is_some_and(|sent| {
                sent.again.is_none_or(|again| now.saturating_duration_since(again) >= AGAIN_EVERY)
            });
            if is_due {
                self.again.insert(number);
            }
        }
    }

    fn get(&self, number: u64) -> Option<&Sent> {
        self.sent.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// The next one that the bus gets: first those that it gets again, then with `new` those that it has not taken.
    pub(super) fn next(&self, new: bool) -> Option<(u64, &Sent)> {
        let number = self.again.first().copied().or(new.then_some(self.next))?;
        Some((number, self.get(number)?))
    }

    /// The bus has taken this one.
    pub(super) fn taken(&mut self, number: u64, now: Instant) {
        if number == self.next {
            self.next += 1;
            return;
        }
        self.again.remove(&number);
        let index = number.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        if let Some(sent) = index.and_then(|index| self.sent.get_mut(index)) {
            sent.again = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn sent(len: usize, at: Instant) -> Sent {
        Sent::new(String::new(), String::new(), vec![0; len].into(), at)
    }

    fn numbers(ring: &mut Ring, new: bool, now: Instant) -> Vec<u64> {
        let mut numbers = Vec::new();
        while let Some((number, _)) = ring.next(new) {
            ring.taken(number, now);
            numbers.push(number);
        }
        numbers
    }

    #[test]
    fn the_bus_gets_each_once_and_again_what_is_asked_for() {
        let now = Instant::now();
        let mut ring = Ring::new();
        assert_eq!((ring.last(), ring.published(), ring.next(true)), (0, 0, None));
        for _ in 0..5 {
            assert_eq!(ring.push(sent(1, now), now), 0);
        }
        assert_eq!((ring.last(), ring.published()), (5, 0));
        ring.again(1, 5, now);
        assert_eq!(ring.next(false), None, "nothing is sent again that was never sent");
        assert_eq!(numbers(&mut ring, true, now), [1, 2, 3, 4, 5]);
        assert_eq!(ring.published(), 5);
        ring.again(2, 4, now);
        ring.again(3, 9, now);
        assert_eq!(numbers(&mut ring, false, now), [2, 3, 4, 5]);
        ring.again(1, 5, now + AGAIN_EVERY / 2);
        assert_eq!(numbers(&mut ring, true, now), [1], "the others are on their way");
        ring.again(4, 5, now + AGAIN_EVERY);
        assert_eq!(numbers(&mut ring, true, now), [4, 5]);
    }

    #[test]
    fn the_oldest_goes_by_number_by_bytes_and_by_age() {
        let now = Instant::now();
        let mut ring = Ring::new();
        let unsent: u64 = (0..KEPT + 10).map(|_| ring.push(sent(0, now), now)).sum();
        assert_eq!((unsent, ring.first(), ring.published()), (10, 11, 10));
        assert_eq!(numbers(&mut ring, true, now).len(), KEPT);
        assert_eq!(ring.push(sent(0, now), now), 0, "the bus had the one that went");

        let mut ring = Ring::new();
        let unsent: u64 = (0..5).map(|_| ring.push(sent(256 * 1024, now), now)).sum();
        assert_eq!((unsent, ring.first(), ring.last()), (2, 3, 5));
        assert!(ring.bytes <= KEPT_BYTES);

        assert_eq!(ring.trim(now + KEPT_FOR), 0);
        assert_eq!(ring.trim(now + KEPT_FOR + Duration::from_millis(1)), 3);
        assert_eq!((ring.first(), ring.last(), ring.published(), ring.bytes), (6, 5, 5, 0));
        ring.again(1, 5, now);
        assert_eq!(ring.next(true), None);
    }
}
