//! Gives a connection that comes back, on this node or another, what it missed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::time::Instant;

use super::bounds::{KEPT, KEPT_BYTES, KEPT_FOR, NODES};
use super::id::{NodeId, Unreadable, digits};
use super::inbound::Incoming;

/// How far a connection has the messages of each node. It is valid on every node of the cluster.
///
/// As text, it is letters, digits and dots: a page can keep it and send it in a query.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(in crate::hub) struct ResumeToken {
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
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let unreadable = Unreadable("a token of version 1");
        let mut words = text.split('.');
        if words.next() != Some("1") {
            return Err(unreadable);
        }
        let mut positions = BTreeMap::new();
        while let Some(node) = words.next() {
            let seq = words.next().and_then(digits).ok_or(unreadable)?;
            if positions.len() == NODES || positions.insert(node.parse()?, seq).is_some() {
                return Err(unreadable);
            }
        }
        Ok(Self { positions })
    }
}

/// What a connection that comes back has missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::hub) enum Resume {
    /// These, in this order: nothing else was sent to it since.
    Resumed(Vec<Incoming>),
    /// Something that cannot be given: it is too old, was lost, or this node does not know of it.
    Gap,
}

/// The last messages of all nodes, in the order in which this node had them.
#[derive(Debug, Default)]
pub(super) struct History {
    messages: VecDeque<Past>,
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

    pub(super) fn push(&mut self, origin: NodeId, seq: u64, message: Incoming, now: Instant) {
        self.bytes += message.cost();
        self.messages.push_back(Past { at: now, origin, seq, message });
        self.trim(now);
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
        is_for: impl Fn(&Incoming) -> bool,
    ) -> Resume {
        let is_whole = |(origin, from): (&NodeId, u64)| {
            let position = positions.get(origin).is_some_and(|position| *position >= from);
            position && self.whole_from.get(origin).is_some_and(|whole| *whole <= from + 1)
        };
        let known = token.positions.iter().map(|(origin, seq)| (origin, *seq)).all(is_whole);
        // The token's node had not heard of these.
        let mut new = recent.iter().filter(|origin| !token.positions.contains_key(origin));
        if !known || !new.all(|origin| is_whole((origin, 0))) {
            return Resume::Gap;
        }
        let is_new = |past: &&Past| token.positions.get(&past.origin).is_none_or(|seq| *seq < past.seq);
        let missed = self.messages.iter().filter(is_new).map(|past| &past.message);
        Resume::Resumed(missed.filter(|message| is_for(message)).cloned().collect())
    }
}
