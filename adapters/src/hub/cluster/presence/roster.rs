//! Another node's members, as far as this node was told.

use std::collections::BTreeMap;
use std::time::Instant;

use super::super::super::ConnectionKey;
use super::super::bounds::{CHANGES, CHUNKS, SNAPSHOT_EVERY};
use super::{Change, Changed, Members, Whole, apply, difference};

/// The members after the changes of a number. Changes are applied in order; a gap, or a lease ahead of us, asks for a
/// snapshot; what is older than what is known is refused.
#[derive(Debug, Default)]
pub(in super::super) struct Roster {
    members: Members,
    n: u64,
    /// The last number that is known to exist.
    known: u64,
    /// Changes behind a gap.
    held: BTreeMap<u64, Vec<Changed>>,
    snapshot: Option<Snapshot>,
    ask_at: Option<Instant>,
}

/// A snapshot that is arriving.
#[derive(Debug)]
struct Snapshot {
    n: u64,
    parts: usize,
    came: BTreeMap<usize, Vec<Whole>>,
}

/// What changed, in order.
pub(in super::super) type Changes = Vec<(ConnectionKey, Change)>;

impl Roster {
    #[cfg(test)]
    pub(in super::super) fn members(&self) -> &Members {
        &self.members
    }

    #[cfg(test)]
    pub(in super::super) fn n(&self) -> u64 {
        self.n
    }

    /// True if there are changes that have not come.
    pub(in super::super) fn is_behind(&self) -> bool {
        self.n < self.known
    }

    /// The node has told changes up to this number.
    pub(in super::super) fn ahead(&mut self, n: u64, now: Instant) {
        self.known = self.known.max(n);
        if self.is_behind() {
            self.ask_at.get_or_insert(now);
        } else {
            self.ask_at = None;
        }
    }

    /// The changes of a number arrived.
    pub(in super::super) fn changes(
        &mut self,
        n: u64,
        changes: Vec<Changed>,
        now: Instant,
        out: &mut Changes,
    ) {
        if n <= self.n {
            return;
        }
        if self.held.len() >= CHANGES {
            // The snapshot that is asked for will say it.
            self.held.clear();
        }
        self.held.insert(n, changes);
        self.go_on(out);
        self.ahead(n, now);
    }

    /// A piece of a snapshot arrived.
    pub(in super::super) fn piece(
        &mut self,
        (n, part, parts): (u64, usize, usize),
        members: Vec<Whole>,
        now: Instant,
        out: &mut Changes,
    ) {
        if n <= self.n || part >= parts || parts > CHUNKS {
            return;
        }
        if self.snapshot.as_ref().is_some_and(|snapshot| snapshot.n > n) {
            return;
        }
        let snapshot = self.snapshot.take().filter(|snapshot| (snapshot.n, snapshot.parts) == (n, parts));
        let mut snapshot = snapshot.unwrap_or(Snapshot { n, parts, came: BTreeMap::new() });
        snapshot.came.insert(part, members);
        // Others follow.
        self.ask_at = Some(now + SNAPSHOT_EVERY);
        if snapshot.came.len() == parts {
            self.replace(snapshot, out);
            self.go_on(out);
        } else {
            self.snapshot = Some(snapshot);
        }
        self.ahead(n, now);
    }

    fn replace(&mut self, snapshot: Snapshot, out: &mut Changes) {
        let members = snapshot.came.into_values().flatten();
        let members: Members = members.map(|whole| (whole.key.0, whole.known)).collect();
        out.extend(difference(&self.members, &members));
        (self.members, self.n) = (members, snapshot.n);
        self.held = self.held.split_off(&(self.n + 1));
    }

    /// Applies the changes that are next.
    fn go_on(&mut self, out: &mut Changes) {
        while let Some(changes) = self.held.remove(&(self.n + 1)) {
            self.n += 1;
            for Changed { key, is } in changes {
                apply(&mut self.members, key.0, &is);
                out.push((key.0, is));
            }
        }
        if self.snapshot.as_ref().is_some_and(|snapshot| snapshot.n <= self.n) {
            self.snapshot = None;
        }
    }

    /// True if a snapshot is to be asked for now.
    pub(in super::super) fn tick(&mut self, now: Instant) -> bool {
        let is_due = self.ask_at.is_some_and(|at| at <= now);
        if is_due {
            self.ask_at = Some(now + SNAPSHOT_EVERY);
        }
        is_due
    }

    /// When a snapshot is asked for next.
    pub(in super::super) fn deadline(&self) -> Option<Instant> {
        self.ask_at
    }

    /// The node has gone, and its members with it.
    pub(in super::super) fn clear(&mut self, out: &mut Changes) {
        out.extend(difference(&self.members, &Members::new()));
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::control::Control;
    use super::super::super::id::NodeId;
    use super::super::{Own, WireKey};
    use super::*;
    use crate::Bytes;

    fn key(number: u64) -> ConnectionKey {
        ConnectionKey::here(number, crate::hub::registry::Slot::new(0))
    }

    fn receive(roster: &mut Roster, control: &Bytes, now: Instant) -> Changes {
        let mut out = Changes::new();
        match Control::read(control).unwrap().1 {
            Control::Changes { n, changes } => roster.changes(n, changes, now, &mut out),
            Control::Members { n, part, parts, members } => {
                roster.piece((n, part, parts), members, now, &mut out);
            }
            other => panic!("{other:?}"),
        }
        out
    }

    #[test]
    fn changes_are_applied_in_order_and_a_gap_asks_for_a_snapshot() {
        let now = Instant::now();
        let (mut own, mut roster) = (Own::new(NodeId::new(1)), Roster::default());
        let mut told = Vec::new();
        for number in 1..=4 {
            own.change(key(number), Change::Joined, now);
            told.push(own.tell().unwrap());
        }
        assert_eq!(receive(&mut roster, &told[0], now), [(key(1), Change::Joined)]);
        assert!(!roster.tick(now));
        assert_eq!(receive(&mut roster, &told[2], now), []);
        assert!(roster.is_behind() && roster.tick(now) && !roster.tick(now));
        assert_eq!(receive(&mut roster, &told[1], now).len(), 2);
        assert!(!roster.is_behind() && roster.deadline().is_none());
        assert_eq!(receive(&mut roster, &told[0], now), []);

        let older = own.snapshot().1;
        own.change(key(1), Change::Left, now);
        let left = own.tell().unwrap();
        roster.ahead(5, now);
        assert!(roster.tick(now));
        assert_eq!(receive(&mut roster, &left, now), []);
        assert_eq!(
            receive(&mut roster, &older[0], now),
            [(key(4), Change::Joined), (key(1), Change::Left)],
            "the snapshot, and what was held behind it"
        );
        assert_eq!(receive(&mut roster, &older[0], now), [], "it is older now");
        assert_eq!(roster.members(), own.members());
        assert!(roster.deadline().is_none());
    }

    #[test]
    fn snapshots_come_in_pieces_in_any_order_and_the_newest_counts() {
        let now = Instant::now();
        let mut own = Own::new(NodeId::new(1));
        for number in 0..900 {
            own.change(key(number), Change::Joined, now);
            own.change(key(number), Change::MetaSet(vec![7; 1024].into()), now);
        }
        own.tell();
        let (n, older) = own.snapshot();
        assert_eq!((n, older.len()), (1, 6));
        assert!(older.iter().all(|piece| piece.len() <= 256 * 1024), "{:?}", older.iter().map(Bytes::len));
        own.change(key(5), Change::Left, now);
        own.tell();
        let (n, newer) = own.snapshot();
        assert_eq!((n, newer.len()), (2, 6));
        let mut roster = Roster::default();
        for piece in older.iter().take(5).chain(newer.iter().skip(1).rev()).chain(older.iter()) {
            assert_eq!(receive(&mut roster, piece, now), []);
        }
        assert_eq!(receive(&mut roster, &newer[0], now).len(), 899 * 2);
        assert_eq!(roster.members(), own.members());
        assert!(older.iter().chain(newer.iter()).all(|piece| receive(&mut roster, piece, now).is_empty()));
        let mut gone = Changes::new();
        roster.clear(&mut gone);
        assert_eq!(gone.len(), 899);
    }

    #[test]
    fn pieces_that_cannot_be_are_refused() {
        let (mut roster, mut out, now) = (Roster::default(), Changes::new(), Instant::now());
        for (part, parts) in [(0, 0), (1, 1), (0, CHUNKS + 1), (usize::MAX, 2)] {
            roster.piece((1, part, parts), Vec::new(), now, &mut out);
        }
        roster.changes(0, vec![Changed { key: WireKey(key(1)), is: Change::Joined }], now, &mut out);
        assert_eq!((out.len(), roster.deadline(), roster.n), (0, None, 0));
    }
}
