//! The places of a pool: who has them, which connections lie idle, and who waits, in order. No I/O, no clock, no lock.
//!
//! A place is taken from before a connection is made until its socket is closed, so the bound is one on sockets. What must
//! hold after every change:
//!
//! - there are never more places taken than there may be, at one origin or in all;
//! - nobody waits who could be served: an origin at which a connection lies idle has nobody in line, and while there is
//!   room in all nobody is in line whose origin has room;
//! - whoever waits for room in all has a connection that is closing for them, as long as one lies idle anywhere.
//!
//! Each change costs O(log n) of what there is, however many origins: what is in order stays so, and nothing is searched.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use std::sync::Arc;
use std::task::Waker;

use super::PoolLimits;
use super::number::Number;
use super::queue::{Moved, Queue};
use crate::client::Origin;
use crate::sync::Woken;

/// Who has the places, and who waits for one. `C` is a connection that lies idle.
pub(super) struct Places<C> {
    limits: PoolLimits,
    /// The places that are taken.
    members: BTreeMap<Number, Member>,
    /// The origins at which something is taken or waited for.
    origins: HashMap<Arc<Origin>, Local>,
    /// The connections that lie idle with their numbers, in the order in which they came.
    idle: BTreeMap<Number, (Number, C)>,
    /// Those who wait, or whose grant lies ready, by ticket.
    waits: BTreeMap<Number, Wait<C>>,
    /// How many of these are granted.
    granted: usize,
    /// Those who wait for room in all: their origins have room for them. There is room for as many ahead as there are
    /// connections that were idle and were told to close.
    wanting: Queue,
    /// The last number.
    last: Number,
}

/// A place that is somebody's, and a connection that lay idle in it, if one did.
pub(super) struct Grant<C> {
    pub(super) id: Number,
    pub(super) idle: Option<C>,
}

/// What a change brings about, to be dropped when no lock is held: connections close, and whoever has waited is woken.
pub(super) struct Effects<C> {
    pub(super) closed: Vec<C>,
    pub(super) woken: Woken,
}

/// How many places are taken, how many of these are by idle connections, and how many wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) taken: usize,
    pub(super) idle: usize,
    pub(super) waiting: usize,
}

/// A place that is taken.
struct Member {
    origin: Arc<Origin>,
    standing: Standing,
}

enum Standing {
    /// Somebody connects, or has the connection.
    Taken,
    /// The connection lies idle since then.
    Idle(Number),
    /// It lay idle, and was told to close.
    Closing,
    /// The connection is somebody's, or else the place that it leaves.
    Promised(Number),
}

/// What there is at one origin.
struct Local {
    taken: usize,
    /// Since when connections lie idle; the last was used most recently.
    idle: BTreeSet<Number>,
    /// Those who are in line. Those ahead have room here, and wait for room in all.
    line: Queue,
}

struct Wait<C> {
    origin: Arc<Origin>,
    stage: Stage<C>,
}

enum Stage<C> {
    InLine(Waker),
    /// For the place of this connection, which is closing.
    Renewing(Number, Waker),
    Granted(Grant<C>),
}

impl<C> Places<C> {
    pub(super) fn new(limits: PoolLimits) -> Self {
        // A pool without room for one connection could serve nobody.
        let connections = limits.connections.max(1);
        let limits = PoolLimits { connections, per_origin: limits.per_origin.max(1), ..limits };
        Self {
            limits,
            members: BTreeMap::new(),
            origins: HashMap::new(),
            idle: BTreeMap::new(),
            waits: BTreeMap::new(),
            granted: 0,
            wanting: Queue::new(0),
            last: Number::ZERO,
        }
    }

    /// A place at `origin` that nobody waits for: with the connection that was used most recently, or a new one.
    pub(super) fn take(&mut self, origin: &Origin) -> Option<Grant<C>> {
        let since = self.origins.get_mut(origin).and_then(|local| local.idle.pop_last());
        if let Some((id, idle)) = since.and_then(|since| self.idle.remove(&since)) {
            self.stand(id, Standing::Taken);
            return Some(Grant { id, idle: Some(idle) });
        }
        let has_room_here = self.origins.get(origin).is_none_or(|local| local.line.room() > 0);
        (has_room_here && !self.is_full()).then(|| {
            let origin = self.key(origin);
            Grant { id: self.admit(origin), idle: None }
        })
    }

    /// Somebody waits for a place at `origin`, after there was none: their ticket.
    pub(super) fn wait(&mut self, origin: &Origin, waker: Waker, effects: &mut Effects<C>) -> Number {
        let (ticket, origin) = (self.number(), self.key(origin));
        self.line_up(&origin, |local| local.line.insert(ticket));
        self.waits.insert(ticket, Wait { origin, stage: Stage::InLine(waker) });
        self.settle(effects);
        ticket
    }

    /// What has come of the wait with this ticket. It goes on with `waker`.
    pub(super) fn look(
        &mut self,
        ticket: Number,
        waker: &Waker,
        effects: &mut Effects<C>,
    ) -> Option<Grant<C>> {
        match &mut self.waits.get_mut(&ticket)?.stage {
            Stage::InLine(known) | Stage::Renewing(_, known) => {
                if !known.will_wake(waker) {
                    effects.woken.discard(Some(mem::replace(known, waker.clone())));
                }
                return None;
            }
            Stage::Granted(_) => {}
        }
        let Stage::Granted(grant) = self.waits.remove(&ticket)?.stage else { return None };
        self.granted = self.granted.saturating_sub(1);
        self.stand(grant.id, Standing::Taken);
        Some(grant)
    }

    /// The wait is given up. What was granted is the next one's.
    pub(super) fn quit(&mut self, ticket: Number, effects: &mut Effects<C>) {
        let Some(Wait { origin, stage }) = self.waits.remove(&ticket) else { return };
        match stage {
            Stage::InLine(waker) => {
                effects.woken.discard(Some(waker));
                self.line_up(&origin, |local| local.line.remove(ticket));
                self.forget(&origin);
            }
            Stage::Renewing(id, waker) => {
                effects.woken.discard(Some(waker));
                self.close_one(id);
            }
            Stage::Granted(Grant { id, idle }) => {
                self.granted = self.granted.saturating_sub(1);
                match idle {
                    Some(idle) => self.give_back(id, idle, effects),
                    None => self.leave(id, effects),
                }
            }
        }
    }

    /// A connection of which nobody needs more: it is the next one's, or lies idle.
    pub(super) fn give_back(&mut self, id: Number, idle: C, effects: &mut Effects<C>) {
        let Some(origin) = self.members.get(&id).map(|member| Arc::clone(&member.origin)) else {
            // It has ended meanwhile.
            return effects.closed.push(idle);
        };
        let since = self.number();
        let Some(local) = self.origins.get_mut(&origin) else { return effects.closed.push(idle) };
        // Who has waited longest for room in all, of those for whom no connection is closing.
        let longest = self.wanting.first_behind();
        match local.line.first() {
            Some(front) if longest.is_none_or(|longest| front <= longest) => {
                self.line_up(&origin, |local| local.line.remove(front));
                self.stand(id, Standing::Promised(front));
                self.grant(front, Grant { id, idle: Some(idle) }, effects);
            }
            // Somebody at another origin has waited for longer: its place is theirs.
            Some(_) => {
                self.close_one(id);
                effects.closed.push(idle);
            }
            None => {
                local.idle.insert(since);
                let oldest = local.idle.first().copied();
                let is_over = local.idle.len() > self.limits.idle_per_origin;
                self.stand(id, Standing::Idle(since));
                self.idle.insert(since, (id, idle));
                if let Some(oldest) = oldest.filter(|_| is_over) {
                    self.close(oldest, effects);
                }
                if self.idle.len() > self.limits.idle {
                    self.close_oldest(effects);
                }
                self.settle(effects);
            }
        }
    }

    /// The socket is closed, or none was made: the place is free.
    pub(super) fn leave(&mut self, id: Number, effects: &mut Effects<C>) {
        let Some(Member { origin, standing }) = self.members.remove(&id) else { return };
        self.line_up(&origin, |local| {
            local.taken = local.taken.saturating_sub(1);
            local.line.widen()
        });
        match standing {
            Standing::Taken => {}
            Standing::Closing => drop(self.wanting.narrow()),
            Standing::Idle(since) => effects.closed.extend(self.take_idle(&origin, since)),
            Standing::Promised(ticket) => {
                let id = self.admit(Arc::clone(&origin));
                self.grant(ticket, Grant { id, idle: None }, effects);
            }
        }
        self.forget(&origin);
        self.settle(effects);
    }

    /// Somebody wants the place of a connection that they have and close, for a new one: their ticket. `None`: the place
    /// is free already, and perhaps another's.
    pub(super) fn renew(&mut self, id: Number, waker: Waker) -> Option<Number> {
        let origin = Arc::clone(&self.members.get(&id)?.origin);
        let ticket = self.number();
        self.stand(id, Standing::Promised(ticket));
        self.waits.insert(ticket, Wait { origin, stage: Stage::Renewing(id, waker) });
        Some(ticket)
    }

    pub(super) fn counted(&self) -> Counted {
        let waiting = self.waits.len().saturating_sub(self.granted);
        Counted { taken: self.members.len(), idle: self.idle.len(), waiting }
    }

    /// Free places go to those who have waited longest of those whose origin has room. If there are none, idle connections
    /// make room.
    fn settle(&mut self, effects: &mut Effects<C>) {
        while !self.is_full() {
            let Some(ticket) = self.wanting.first() else { return };
            let Some(origin) = self.waits.get(&ticket).map(|wait| Arc::clone(&wait.origin)) else { return };
            self.line_up(&origin, |local| local.line.remove(ticket));
            let id = self.admit(origin);
            self.grant(ticket, Grant { id, idle: None }, effects);
        }
        while self.wanting.room() < self.wanting.len() {
            if !self.close_oldest(effects) {
                return;
            }
        }
    }

    /// Changes what there is at an origin, and with it who waits for room in all.
    fn line_up(&mut self, origin: &Arc<Origin>, change: impl FnOnce(&mut Local) -> Moved) {
        let per_origin = self.limits.per_origin;
        let local = self.origins.entry(Arc::clone(origin)).or_insert_with(|| Local::new(per_origin));
        let Moved { ahead, away } = change(local);
        if let Some(ticket) = away {
            self.wanting.remove(ticket);
        }
        if let Some(ticket) = ahead {
            self.wanting.insert(ticket);
        }
    }

    fn is_full(&self) -> bool {
        self.members.len() >= self.limits.connections
    }

    /// Takes a new place.
    fn admit(&mut self, origin: Arc<Origin>) -> Number {
        let id = self.number();
        self.line_up(&origin, |local| {
            local.taken = local.taken.saturating_add(1);
            local.line.narrow()
        });
        self.members.insert(id, Member { origin, standing: Standing::Taken });
        id
    }

    fn grant(&mut self, ticket: Number, grant: Grant<C>, effects: &mut Effects<C>) {
        let Some(wait) = self.waits.get_mut(&ticket) else { return };
        match mem::replace(&mut wait.stage, Stage::Granted(grant)) {
            Stage::InLine(waker) | Stage::Renewing(_, waker) => {
                self.granted = self.granted.saturating_add(1);
                effects.woken.add(waker);
            }
            // A connection that ended before it was looked at.
            Stage::Granted(Grant { idle, .. }) => effects.closed.extend(idle),
        }
    }

    fn stand(&mut self, id: Number, standing: Standing) {
        if let Some(member) = self.members.get_mut(&id) {
            member.standing = standing;
        }
    }

    /// Tells the connection that lies idle since then to close.
    fn close(&mut self, since: Number, effects: &mut Effects<C>) {
        let Some(id) = self.idle.get(&since).map(|(id, _)| *id) else { return };
        let Some(origin) = self.members.get(&id).map(|member| Arc::clone(&member.origin)) else { return };
        self.close_one(id);
        effects.closed.extend(self.take_idle(&origin, since));
    }

    /// False: none lies idle.
    fn close_oldest(&mut self, effects: &mut Effects<C>) -> bool {
        let oldest = self.idle.keys().next().copied();
        if let Some(since) = oldest {
            self.close(since, effects);
        }
        oldest.is_some()
    }

    /// A connection closes, for whoever waits for room in all.
    fn close_one(&mut self, id: Number) {
        self.stand(id, Standing::Closing);
        self.wanting.widen();
    }

    fn take_idle(&mut self, origin: &Origin, since: Number) -> Option<C> {
        if let Some(local) = self.origins.get_mut(origin) {
            local.idle.remove(&since);
        }
        self.idle.remove(&since).map(|(_, idle)| idle)
    }

    /// Nothing is kept of an origin at which there is nothing.
    fn forget(&mut self, origin: &Origin) {
        if self.origins.get(origin).is_some_and(|local| local.taken == 0 && local.line.is_empty()) {
            self.origins.remove(origin);
            // A table keeps the size that it once needed. At least half of it goes at a time, so this costs O(1) a change.
            let len = self.origins.len();
            if self.origins.capacity() > ROOMY && len < self.origins.capacity() / 4 {
                self.origins.shrink_to(len.saturating_mul(2));
            }
        }
    }

    fn key(&self, origin: &Origin) -> Arc<Origin> {
        let known = self.origins.get_key_value(origin);
        known.map_or_else(|| Arc::new(origin.clone()), |(known, _)| Arc::clone(known))
    }

    fn number(&mut self) -> Number {
        self.last = self.last.next();
        self.last
    }

    /// True if nothing is kept of all that was.
    #[cfg(test)]
    pub(super) fn is_blank(&self) -> bool {
        let is_empty = self.members.is_empty() && self.origins.is_empty() && self.waits.is_empty();
        is_empty && self.wanting.is_empty() && self.wanting.room() == 0 && self.granted == 0
    }

    /// What is kept twice is the same, and nothing is kept of an origin at which there is nothing.
    #[cfg(test)]
    pub(super) fn check(&self) {
        self.wanting.check();
        let mut wanting = BTreeSet::new();
        for local in self.origins.values() {
            assert!(local.taken > 0 || !local.line.is_empty());
            assert_eq!(local.line.room(), self.limits.per_origin - local.taken);
            local.line.check();
            wanting.extend(local.line.ahead());
        }
        assert!(wanting.into_iter().eq(self.wanting.all()));
        assert!(self.origins.capacity() <= ROOMY.max(4 * self.origins.len()));
    }
}

/// A table for this many origins is not made smaller.
const ROOMY: usize = 64;

impl Local {
    fn new(per_origin: usize) -> Self {
        Self { taken: 0, idle: BTreeSet::new(), line: Queue::new(per_origin) }
    }
}

impl<C> Default for Effects<C> {
    fn default() -> Self {
        Self { closed: Vec::new(), woken: Woken::default() }
    }
}
