//! Gives a connection that comes back, on this node or another, what it missed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::time::Instant;

use super::bounds::{KEPT, KEPT_BYTES, KEPT_FOR, NODES};
use super::id::{NodeId, digits};
use super::inbound::Incoming;

/// How far a connection has the messages of each node: made by [`Hub::token`](super::super::Hub::token), for
/// [`Member::resume`](super::super::Member::resume). It is valid on every node of the cluster.
///
/// As text, it is letters, digits and dots: a page can keep it and send it in a query. It has some 20 bytes for each node.
///
/// ```
/// use endwell::hub::{Hub, ResumeToken};
///
/// let token = Hub::default().token();
/// assert_eq!(token.to_string().parse::<ResumeToken>(), Ok(token));
/// assert!("hello".parse::<ResumeToken>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ResumeToken {
    positions: BTreeMap<NodeId, u64>,
}

impl ResumeToken {
    pub(super) fn new(positions: BTreeMap<NodeId, u64>) -> Self {
        Self { positions }
    }

    #[cfg(test)]
    pub(super) fn positions(&self) -> &BTreeMap<NodeId, u64> {
        &self.positions
    }
}

impl fmt::Display for ResumeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("1")?;
        self.positions.iter().try_for_each(|(node, seq)| write!(f, ".{node}.{seq}"))
    }
}

impl FromStr for ResumeToken {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let unreadable = InvalidToken;
        let mut words = text.split('.');
        if words.next() != Some("1") {
            return Err(unreadable);
        }
        let mut positions = BTreeMap::new();
        while let Some(node) = words.next() {
            let seq = words.next().and_then(digits).ok_or(unreadable)?;
            if positions.len() == NODES
                || positions.insert(node.parse().map_err(|_| unreadable)?, seq).is_some()
            {
                return Err(unreadable);
            }
        }
        Ok(Self { positions })
    }
}

/// The text is not a [`ResumeToken`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidToken;

impl fmt::Display for InvalidToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a token of a hub")
    }
}

impl Error for InvalidToken {}

/// What a connection that comes back has missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::hub) enum Replay {
    /// These, in this order: nothing else was sent to it since.
    Whole(Vec<Incoming>),
    /// Something that cannot be given: it is too old, was lost, or this node does not know of it.
    Gap,
}

/// The last messages of all nodes, in the order in which this node had them.
#[derive(Debug, Default)]
pub(super) struct History {
    messages: VecDeque<Past>,
    /// The place of the first of them, among all that there have been.
    first: u64,
    bytes: usize,
    /// From which number on each origin's messages are all here.
    whole_from: BTreeMap<NodeId, u64>,
}

#[derive(Debug)]
struct Past {
    at: Instant,
    origin: NodeId,
    seq: u64,
    message: Incoming,
}

impl History {
    /// An origin's messages begin behind this number.
    pub(super) fn begin(&mut self, origin: NodeId, after: u64) {
        self.whole_from.insert(origin, after.saturating_add(1));
    }

    /// An origin is forgotten.
    pub(super) fn forget(&mut self, origin: NodeId) {
        self.whole_from.remove(&origin);
    }

    /// Keeps a message, and returns its place.
    pub(super) fn push(&mut self, origin: NodeId, seq: u64, message: Incoming, now: Instant) -> u64 {
        let place = self.next_place();
        self.bytes += message.cost();
        self.messages.push_back(Past { at: now, origin, seq, message });
        self.trim(now);
        place
    }

    /// The place of the next message.
    pub(super) fn next_place(&self) -> u64 {
        self.first.saturating_add(u64::try_from(self.messages.len()).unwrap_or(u64::MAX))
    }

    /// The messages of an origin up to this number were lost.
    pub(super) fn lost(&mut self, origin: NodeId, to: u64) {
        if let Some(from) = self.whole_from.get_mut(&origin) {
            *from = (*from).max(to.saturating_add(1));
        }
    }

    pub(super) fn trim(&mut self, now: Instant) {
        while let Some(oldest) = self.messages.front() {
            let is_old = now.saturating_duration_since(oldest.at) > KEPT_FOR;
            if self.messages.len() <= KEPT && self.bytes <= KEPT_BYTES && !is_old {
                break;
            }
            let (origin, seq) = (oldest.origin, oldest.seq);
            self.bytes -= oldest.message.cost();
            self.messages.pop_front();
            self.first += 1;
            self.lost(origin, seq);
        }
    }

    /// What came after the token, of that which `is_for` the connection. `positions` is how far this node is. Of the
    /// origins that the token does not know, those count that are `recent`.
    pub(super) fn resume(
        &self,
        token: &ResumeToken,
        positions: &BTreeMap<NodeId, u64>,
        recent: &BTreeSet<NodeId>,
        is_for: impl Fn(u64, &Incoming) -> bool,
    ) -> Replay {
        let is_whole = |(origin, from): (&NodeId, u64)| {
            let position = positions.get(origin).is_some_and(|position| *position >= from);
            position && self.whole_from.get(origin).is_some_and(|whole| *whole <= from + 1)
        };
        let known = token.positions.iter().map(|(origin, seq)| (origin, *seq)).all(is_whole);
        // The token's node had not heard of these.
        let mut new = recent.iter().filter(|origin| !token.positions.contains_key(origin));
        if !known || !new.all(|origin| is_whole((origin, 0))) {
            return Replay::Gap;
        }
        let is_new = |past: &Past| token.positions.get(&past.origin).is_none_or(|seq| *seq < past.seq);
        let kept = self.messages.iter().zip(self.first..).filter(|(past, _)| is_new(past));
        let missed =
            kept.filter(|(past, place)| is_for(*place, &past.message)).map(|(past, _)| &past.message);
        Replay::Whole(missed.cloned().collect())
    }
}
