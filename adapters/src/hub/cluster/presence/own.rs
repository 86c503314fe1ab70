//! This node's members, as the others are told.

use std::sync::Arc;
use std::time::Instant;

use super::super::super::ConnectionKey;
use super::super::bounds::{CHANGES_EVERY, CHUNK_BYTES};
use super::super::control::Control;
use super::super::id::{NodeId, WireKey};
use super::{Change, Changed, Known, Members, Whole, apply};
use crate::Bytes;

/// The members, and the changes that have no number yet.
#[derive(Debug)]
pub(in super::super) struct Own {
    node: NodeId,
    members: Members,
    /// The number of the last changes.
    n: u64,
    untold: Vec<Changed>,
    untold_bytes: usize,
    tell_at: Option<Instant>,
    /// The last snapshot, and the number at which it was taken.
    snapshot: Option<(u64, Arc<[Bytes]>)>,
}

impl Own {
    pub(in super::super) fn new(node: NodeId) -> Self {
        let members = Members::new();
        Self { node, members, n: 0, untold: Vec::new(), untold_bytes: 0, tell_at: None, snapshot: None }
    }

    pub(in super::super) fn n(&self) -> u64 {
        self.n
    }

    pub(in super::super) fn members(&self) -> &Members {
        &self.members
    }

    pub(in super::super) fn change(&mut self, key: ConnectionKey, change: Change, now: Instant) {
        apply(&mut self.members, key, &change);
        self.untold_bytes += cost(&change);
        self.untold.push(Changed { key: WireKey(key), is: change });
        let is_much = self.untold_bytes >= CHUNK_BYTES / 2;
        let tell_at = self.tell_at.get_or_insert(now + CHANGES_EVERY);
        if is_much {
            *tell_at = now;
        }
    }

    /// When the changes are told.
    pub(in super::super) fn deadline(&self) -> Option<Instant> {
        self.tell_at
    }

    /// Numbers the changes since the last number, and returns them as what goes on the bus.
    pub(in super::super) fn tell(&mut self) -> Option<Bytes> {
        self.tell_at = None;
        self.untold_bytes = 0;
        if self.untold.is_empty() {
            return None;
        }
        self.n += 1;
        let changes = std::mem::take(&mut self.untold);
        Some(Control::Changes { n: self.n, changes }.write(self.node))
    }

    /// All members, in pieces, and the number at which they were so. Nothing may be untold.
    pub(in super::super) fn snapshot(&mut self) -> (u64, Arc<[Bytes]>) {
        if let Some((n, pieces)) = self.snapshot.as_ref().filter(|(n, _)| *n == self.n) {
            return (*n, Arc::clone(pieces));
        }
        let mut pieces = vec![Vec::new()];
        let mut bytes = 0;
        for (key, known) in &self.members {
            let cost = cost_of(known);
            if bytes > 0 && bytes + cost > CHUNK_BYTES {
                pieces.push(Vec::new());
                bytes = 0;
            }
            bytes += cost;
            if let Some(piece) = pieces.last_mut() {
                piece.push(Whole { key: WireKey(*key), known: known.clone() });
            }
        }
        let (n, parts) = (self.n, pieces.len());
        let pieces = pieces.into_iter().enumerate();
        let pieces: Arc<[Bytes]> = pieces
            .map(|(part, members)| Control::Members { n, part, parts, members }.write(self.node))
            .collect();
        self.snapshot = Some((n, Arc::clone(&pieces)));
        (n, pieces)
    }

    /// Drops the snapshot if others are not waiting for it.
    pub(in super::super) fn forget_snapshot(&mut self) {
        self.snapshot = None;
    }
}

/// At least what a change takes on the bus, unless its names are full of control characters.
fn cost(change: &Change) -> usize {
    let text = match change {
        Change::Joined | Change::Left | Change::LoggedOut => 0,
        Change::LoggedIn(login) => login.user.len(),
        Change::MetaSet(meta) => meta.len() * 4 / 3,
        Change::Subscribed(topic) | Change::Unsubscribed(topic) => topic.len(),
    };
    text + 96
}

fn cost_of(known: &Known) -> usize {
    let user = known.login.as_ref().map_or(0, |login| login.user.len());
    let topics: usize = known.topics.iter().map(|topic| topic.len() + 3).sum();
    user + known.meta.len() * 4 / 3 + topics + 128
}
