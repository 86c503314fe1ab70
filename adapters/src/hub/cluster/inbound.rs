//! The messages of another node, in its order, each at most once.

use std::collections::BTreeMap;
use std::time::Instant;

use super::bounds::{ASK_EVERY, ASKS, HELD_BYTES, KEPT_COST};
use super::header::{MessageKind, Policy};
use super::subject::To;
use crate::Bytes;

/// A message for members of this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::hub) struct Incoming {
    /// Its receivers.
    pub(in crate::hub) to: To,
    /// Whether it is text.
    pub(in crate::hub) kind: MessageKind,
    /// Its content.
    pub(in crate::hub) payload: Bytes,
    /// What happens for a receiver without room.
    pub(in crate::hub) policy: Policy,
}

impl Incoming {
    pub(super) fn cost(&self) -> usize {
        let name = match &self.to {
            To::Topic(name) | To::User(name) => name.len(),
            To::Everyone | To::Connection(..) => 0,
        };
        self.payload.len() + name + KEPT_COST
    }
}

/// How far this node has one origin's messages, and what it holds back behind a gap.
///
/// A number at or below what was applied is a repetition. A gap holds later messages back until the missing ones come,
/// the origin no longer has them, it was asked [`ASKS`] times in vain, or [`HELD_BYTES`] wait. Then the missing ones are
/// lost, exactly counted, and the held ones go on.
#[derive(Debug)]
pub(super) struct Inbound {
    /// The number of the next message.
    next: u64,
    /// The last number that is known to exist.
    known: u64,
    held: BTreeMap<u64, Incoming>,
    held_bytes: usize,
    gap: Option<Gap>,
    lost: u64,
}

#[derive(Debug)]
struct Gap {
    /// The last number that is missing.
    to: u64,
    asked: u32,
    ask_at: Instant,
}

/// What follows, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Applied {
    Message(u64, Incoming),
    /// This many are lost before what follows.
    Lost(u64),
}

/// The numbers that an origin is asked for, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) from: u64,
    pub(super) to: u64,
}

impl Inbound {
    /// Begins behind a number: what was sent before is not missed.
    pub(super) fn after(seq: u64) -> Self {
        let next = seq.saturating_add(1);
        Self { next, known: seq, held: BTreeMap::new(), held_bytes: 0, gap: None, lost: 0 }
    }

    /// The number of the last message that was applied or lost.
    pub(super) fn applied(&self) -> u64 {
        self.next - 1
    }

    /// How many were lost since it began.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// A message arrived.
    pub(super) fn message(&mut self, seq: u64, message: Incoming, now: Instant, out: &mut Vec<Applied>) {
        if seq < self.next || self.held.contains_key(&seq) {
            return;
        }
        self.held_bytes += message.cost();
        self.held.insert(seq, message);
        self.known = self.known.max(seq);
        self.settle(now, out);
        while self.held_bytes > HELD_BYTES {
            self.give_up(now, out);
        }
    }

    /// The origin has sent messages up to this number.
    pub(super) fn ahead(&mut self, seq: u64, now: Instant, out: &mut Vec<Applied>) {
        self.known = self.known.max(seq);
        self.settle(now, out);
    }

    /// The origin no longer has those before this number.
    pub(super) fn forgotten(&mut self, before: u64, now: Instant, out: &mut Vec<Applied>) {
        self.known = self.known.max(before.saturating_sub(1));
        self.settle(now, out);
        while self.next < before {
            self.skip_to(before, out);
            self.settle(now, out);
        }
    }

    /// What to ask the origin for now, if `may_ask`: it is heard, and so are we.
    pub(super) fn tick(&mut self, now: Instant, may_ask: bool, out: &mut Vec<Applied>) -> Option<Missing> {
        loop {
            let gap = self.gap.as_mut().filter(|gap| gap.ask_at <= now)?;
            gap.ask_at = now + ASK_EVERY;
            if !may_ask {
                return None;
            }
            if gap.asked < ASKS {
                gap.asked += 1;
                return Some(Missing { from: self.next, to: gap.to });
            }
            self.give_up(now, out);
        }
    }

    /// When the origin is asked next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        Some(self.gap.as_ref()?.ask_at)
    }

    /// The origin has gone: what is missing is lost.
    pub(super) fn abandon(&mut self, now: Instant, out: &mut Vec<Applied>) {
        while self.gap.is_some() {
            self.give_up(now, out);
        }
    }

    fn give_up(&mut self, now: Instant, out: &mut Vec<Applied>) {
        self.skip_to(u64::MAX, out);
        self.settle(now, out);
    }

    /// Counts what is missing before the first held message, or before a number.
    fn skip_to(&mut self, before: u64, out: &mut Vec<Applied>) {
        let known = self.known.saturating_add(1);
        let end = self.held.first_key_value().map_or(known, |(seq, _)| *seq).min(before);
        let lost = end.saturating_sub(self.next);
        if lost > 0 {
            self.lost += lost;
            self.next = end;
            out.push(Applied::Lost(lost));
        }
    }

    /// Applies what is next, and looks for the gap behind it.
    fn settle(&mut self, now: Instant, out: &mut Vec<Applied>) {
        let before = self.next;
        while let Some(message) = self.held.remove(&self.next) {
            self.held_bytes -= message.cost();
            out.push(Applied::Message(self.next, message));
            self.next += 1;
        }
        let to = self.held.first_key_value().map_or(self.known, |(seq, _)| seq - 1);
        if self.next > to {
            self.gap = None;
            return;
        }
        match &mut self.gap {
            Some(gap) if self.next <= gap.to => {
                // The answer is coming. What is held back is not held longer because more is missing.
                if before < self.next && gap.asked > 0 {
                    (gap.asked, gap.ask_at) = (0, now + ASK_EVERY);
                }
                gap.to = to;
            }
            gap => *gap = Some(Gap { to, asked: 0, ask_at: now }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::collection::vec;
    use proptest::prelude::{Just, ProptestConfig, Strategy, prop_oneof, proptest};

    use super::*;

    fn message(seq: u64) -> Incoming {
        sized(seq, 8)
    }

    fn sized(seq: u64, len: usize) -> Incoming {
        let mut payload = seq.to_le_bytes().to_vec();
        payload.resize(len, 0);
        let (kind, policy) = (MessageKind::Binary, Policy::DropOldest);
        Incoming { to: To::Everyone, kind, payload: payload.into(), policy }
    }

    struct Reader {
        inbound: Inbound,
        now: Instant,
        out: Vec<Applied>,
    }

    impl Reader {
        fn new() -> Self {
            Self { inbound: Inbound::after(0), now: Instant::now(), out: Vec::new() }
        }

        fn message(&mut self, seq: u64) {
            self.inbound.message(seq, message(seq), self.now, &mut self.out);
        }

        fn wait(&mut self, time: Duration) -> Option<Missing> {
            self.now += time;
            self.inbound.tick(self.now, true, &mut self.out)
        }

        /// The numbers of what was applied, and below zero how many were lost.
        fn seen(&mut self) -> Vec<i64> {
            let number = |number: u64| i64::try_from(number).unwrap();
            let of = |applied| match applied {
                Applied::Message(seq, message) => {
                    assert_eq!(message.payload.get(..8), Some(&seq.to_le_bytes()[..]));
                    number(seq)
                }
                Applied::Lost(lost) => -number(lost),
            };
            self.out.drain(..).map(of).collect()
        }
    }

    #[test]
    fn a_gap_holds_later_ones_until_it_is_filled() {
        let mut reader = Reader::new();
        for seq in [1, 1, 4, 2, 2, 4, 6] {
            reader.message(seq);
        }
        assert_eq!(reader.seen(), [1, 2]);
        assert_eq!(reader.wait(Duration::ZERO), Some(Missing { from: 3, to: 3 }));
        assert_eq!(reader.wait(ASK_EVERY / 2), None);
        reader.message(3);
        assert_eq!(reader.seen(), [3, 4]);
        assert_eq!(reader.wait(Duration::ZERO), Some(Missing { from: 5, to: 5 }));
        reader.message(5);
        assert_eq!(reader.seen(), [5, 6]);
        assert_eq!((reader.inbound.deadline(), reader.inbound.lost()), (None, 0));
    }

    #[test]
    fn after_a_second_of_asking_in_vain_what_is_missing_is_counted() {
        let mut reader = Reader::new();
        reader.message(4);
        for _ in 0..ASKS {
            assert!(reader.seen().is_empty());
            assert_eq!(reader.wait(Duration::ZERO), Some(Missing { from: 1, to: 3 }));
            reader.now += ASK_EVERY;
        }
        assert_eq!(reader.wait(Duration::ZERO), None);
        assert_eq!(reader.seen(), [-3, 4]);
        reader.message(2);
        assert_eq!((reader.seen(), reader.inbound.lost()), (vec![], 3), "it comes too late");
    }

    #[test]
    fn time_in_which_the_origin_cannot_answer_does_not_count() {
        let mut reader = Reader::new();
        reader.message(2);
        for _ in 0..100 {
            reader.now += ASK_EVERY;
            assert_eq!(reader.inbound.tick(reader.now, false, &mut reader.out), None);
        }
        assert!(reader.seen().is_empty());
        assert!(reader.wait(ASK_EVERY).is_some());
    }

    #[test]
    fn an_origin_ahead_of_us_is_asked_and_one_that_forgot_is_believed() {
        let mut reader = Reader::new();
        let now = reader.now;
        reader.message(1);
        reader.inbound.ahead(9, now, &mut reader.out);
        assert_eq!(reader.wait(Duration::ZERO), Some(Missing { from: 2, to: 9 }));
        reader.message(4);
        assert_eq!(reader.wait(ASK_EVERY), Some(Missing { from: 2, to: 3 }));
        reader.inbound.forgotten(7, now, &mut reader.out);
        assert_eq!(reader.seen(), [1, -2, 4, -2]);
        for seq in 7..=9 {
            reader.message(seq);
        }
        assert_eq!((reader.seen(), reader.inbound.deadline()), (vec![7, 8, 9], None));
        reader.inbound.forgotten(20, now, &mut reader.out);
        assert_eq!((reader.seen(), reader.inbound.applied()), (vec![-10], 19));
    }

    #[test]
    fn more_than_a_mebibyte_is_not_held() {
        let mut reader = Reader::new();
        for seq in 2..7 {
            reader.inbound.message(seq, sized(seq, 256 * 1024), reader.now, &mut reader.out);
        }
        assert_eq!(reader.seen(), [-1, 2, 3, 4, 5, 6]);
        assert!(reader.inbound.held_bytes <= HELD_BYTES);
    }

    #[test]
    fn what_a_gone_origin_left_behind_gaps_is_applied() {
        let mut reader = Reader::new();
        for seq in [2, 5] {
            reader.message(seq);
        }
        reader.inbound.ahead(8, reader.now, &mut reader.out);
        reader.inbound.abandon(reader.now, &mut reader.out);
        assert_eq!(reader.seen(), [-1, 2, -2, 5, -3]);
        assert_eq!((reader.inbound.applied(), reader.inbound.deadline()), (8, None));
    }

    #[derive(Clone, Debug)]
    enum Op {
        Message(u64),
        Ahead(u64),
        Forgotten(u64),
        Wait(u64, bool),
        Abandon,
    }

    fn ops() -> impl Strategy<Value = Vec<Op>> {
        let op = prop_oneof![
            8 => (1_u64..40).prop_map(Op::Message),
            1 => (1_u64..40).prop_map(Op::Ahead),
            1 => (1_u64..40).prop_map(Op::Forgotten),
            2 => (0_u64..600, proptest::bool::ANY).prop_map(|(time, may)| Op::Wait(time, may)),
            1 => Just(Op::Abandon),
        ];
        vec(op, 0..80)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        /// Whatever arrives: numbers go up, none is doubled, and what was applied and lost is all there was.
        #[test]
        fn each_number_is_applied_once_or_counted_once(ops in ops()) {
            let mut reader = Reader::new();
            let (mut next, mut lost) = (1, 0);
            for op in ops {
                let now = reader.now;
                match op {
                    Op::Message(seq) => reader.message(seq),
                    Op::Ahead(seq) => reader.inbound.ahead(seq, now, &mut reader.out),
                    Op::Forgotten(seq) => reader.inbound.forgotten(seq, now, &mut reader.out),
                    Op::Wait(time, may_ask) => {
                        reader.now += Duration::from_millis(time);
                        let missing = reader.inbound.tick(reader.now, may_ask, &mut reader.out);
                        assert!(missing.is_none_or(|missing| missing.from <= missing.to));
                    }
                    Op::Abandon => reader.inbound.abandon(now, &mut reader.out),
                }
                for number in reader.seen() {
                    if number < 0 {
                        (next, lost) = (next - number, lost - number);
                    } else {
                        assert_eq!(number, next);
                        next += 1;
                    }
                }
                assert_eq!(i64::try_from(reader.inbound.applied()).unwrap(), next - 1);
                assert_eq!(i64::try_from(reader.inbound.lost()).unwrap(), lost);
                let is_whole = reader.inbound.held.is_empty() && reader.inbound.known < reader.inbound.next;
                assert_eq!(reader.inbound.gap.is_none(), is_whole);
                let held: usize = reader.inbound.held.values().map(Incoming::cost).sum();
                assert_eq!(held, reader.inbound.held_bytes);
            }
        }
    }
}
