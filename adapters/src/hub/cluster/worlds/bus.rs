//! The bus of a world.

use std::collections::BTreeMap;

use rand::Rng;
use rand::rngs::StdRng;

use super::super::backplane::Publication;
use super::world::Kind;
use crate::Bytes;

/// What the bus does to what is on its way.
#[derive(Debug)]
pub(super) struct Bus {
    pub(super) kind: Kind,
    /// Per thousand.
    pub(super) lost: u32,
    pub(super) repeated: u32,
    pub(super) refused: u32,
    /// The longest delay, in milliseconds.
    pub(super) delay: u64,
    /// It hangs until then.
    pub(super) hangs_until: u64,
    /// When the last message of one node came to another: the next does not come before.
    last: BTreeMap<(usize, usize), u64>,
}

/// A node's connection to the bus, as the bus has it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Connection {
    pub(super) is_up: bool,
    pub(super) number: u64,
    /// When its subscription works.
    pub(super) hears_from: u64,
    /// Which part of a bus that has fallen apart it is connected to.
    pub(super) part: usize,
}

/// A message on its way.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) subject: String,
    pub(super) header: Option<String>,
    pub(super) payload: Bytes,
}

impl From<Publication<'_>> for Parcel {
    fn from(publication: Publication<'_>) -> Self {
        let Publication { subject, header, payload } = publication;
        Self { subject: subject.into(), header: header.map(Into::into), payload: payload.clone() }
    }
}

impl Bus {
    pub(super) fn new(kind: Kind, rng: &mut StdRng) -> Self {
        let (lost, repeated, delay) = match kind {
            Kind::Calm => (0, 0, 20),
            Kind::Wild => (rng.random_range(0..500), rng.random_range(0..300), rng.random_range(1..800)),
        };
        let refused = *[0, 0, 30, 300].get(rng.random_range(0..4)).unwrap_or(&0);
        Self { kind, lost, repeated, refused, delay, hangs_until: 0, last: BTreeMap::new() }
    }

    pub(super) fn chance(rng: &mut StdRng, per_thousand: u32) -> bool {
        rng.random_range(0..1000) < per_thousand
    }

    /// When a message from one node comes to another: never, once, or more often.
    pub(super) fn arrivals(&mut self, (from, to): (usize, usize), now: u64, rng: &mut StdRng) -> Vec<u64> {
        let mut arrivals = Vec::new();
        if Self::chance(rng, self.lost) {
            return arrivals;
        }
        loop {
            let mut at = now.max(self.hangs_until) + rng.random_range(1..=self.delay);
            if self.kind == Kind::Calm {
                let last = self.last.entry((from, to)).or_default();
                at = at.max(*last);
                *last = at;
            }
            arrivals.push(at);
            if !Self::chance(rng, self.repeated) {
                return arrivals;
            }
        }
    }
}
