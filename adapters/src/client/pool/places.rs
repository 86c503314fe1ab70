//! The places of a pool: who has them, which connections lie idle, and who waits, in order. No I/O, no clock, no lock.
//!
//! A place is taken from before a connection is made until its socket is closed, so the bound is one on sockets. What must
//! hold after every change:
//!
//! - there are never more places taken than there may be, at one origin or in all;
//! - nobody waits who could be served: an origin at which a connection lies idle has nobody in line, and while there is
//!   room in all nobody is in line whose origin has room;
//! - whoever waits for room in all has a connection that is closing for them, as long as one lies idle anywhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use std::sync::Arc;
use std::task::Waker;

use super::PoolLimits;
use crate::client::Origin;
use crate::sync::Woken;

/// Who has the places, and who waits for one. `C` is a connection that lies idle.
pub(super) struct Places<C> {
    limits: PoolLimits,
    /// The places that are taken.
    members: HashMap<u64, Member>,
    /// The origins at which something is taken or waited for.
    origins: HashMap<Arc<Origin>, Local>,
    /// The connections that lie idle with their numbers, in the order in which they came.
    idle: BTreeMap<u64, (u64, C)>,
    /// Those who wait, or whose grant lies ready, by ticket.
    waits: BTreeMap<u64, Wait<C>>,
    /// How many connections were idle and were told to close.
    closing: usize,
    /// The next number. They rise.
    next: u64,
}

/// A place that is somebody's, and a connection that lay idle in it, if one did.
pub(super) struct Grant<C> {
    pub(super) id: u64,
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
    Idle(u64),
    /// It lay idle, and was told to close.
    Closing,
    /// The connection is somebody's, or else the place that it leaves.
    Promised(u64),
}

/// What there is at one origin.
#[derive(Default)]
struct Local {
    taken: usize,
    /// Since when connections lie idle; the last was used most recently.
    idle: Vec<u64>,
    /// The tickets of those who are in line.
    line: BTreeSet<u64>,
}

struct Wait<C> {
    origin: Arc<Origin>,
    stage: Stage<C>,
}

enum Stage<C> {
    InLine(Waker),
    /// For the place of this connection, which is closing.
    Renewing(u64, Waker),
    Granted(Grant<C>),
}

impl<C> Places<C> {
    pub(super) fn new(limits: PoolLimits) -> Self {
        // A pool without room for one connection could serve nobody.
        let connections = limits.connections.max(1);
        let limits = PoolLimits { connections, per_origin: limits.per_origin.max(1), ..limits };
        Self {
            limits,
            members: HashMap::new(),
            origins: HashMap::new(),
            idle: BTreeMap::new(),
            waits: BTreeMap::new(),
            closing: 0,
            next: 0,
        }
    }

    /// A place at `origin` that nobody waits for: with the connection that was used most recently, or a new one.
    pub(super) fn take(&mut self, origin: &Origin) -> Option<Grant<C>> {
        let since = self.origins.get_mut(origin).and_then(|local| local.idle.pop());
        if let Some((id, idle)) = since.and_then(|since| self.idle.remove(&since)) {
            self.stand(id, Standing::Taken);
            return Some(Grant { id, idle: Some(idle) });
        }
        let taken = self.origins.get(origin).map_or(0, |local| local.taken);
        let has_room = !self.is_full() && taken < self.limits.per_origin;
        has_room.then(|| {
            let origin = self.key(origin);
            Grant { id: self.admit(origin), idle: None }
        })
    }

    /// Somebody waits for a place at `origin`, after there was none: their ticket.
    pub(super) fn wait(&mut self, origin: &Origin, waker: Waker, effects: &mut Effects<C>) -> u64 {
        let (ticket, origin) = (self.number(), self.key(origin));
        self.origins.entry(Arc::clone(&origin)).or_default().line.insert(ticket);
        self.waits.insert(ticket, Wait { origin, stage: Stage::InLine(waker) });
        self.settle(effects);
        ticket
    }

    /// What has come of the wait with this ticket. It goes on with `waker`.
    pub(super) fn look(&mut self, ticket: u64, waker: &Waker, effects: &mut Effects<C>) -> Option<Grant<C>> {
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
        self.stand(grant.id, Standing::Taken);
        Some(grant)
    }

    /// The wait is given up. What was granted is the next one's.
    pub(super) fn quit(&mut self, ticket: u64, effects: &mut Effects<C>) {
        let Some(Wait { origin, stage }) = self.waits.remove(&ticket) else { return };
        match stage {
            Stage::InLine(waker) => {
                effects.woken.discard(Some(waker));
                if let Some(local) = self.origins.get_mut(&origin) {
                    local.line.remove(&ticket);
                }
                self.forget(&origin);
            }
            Stage::Renewing(id, waker) => {
                effects.woken.discard(Some(waker));
                self.stand(id, Standing::Closing);
                self.closing += 1;
            }
            Stage::Granted(Grant { id, idle: Some(idle) }) => self.give_back(id, idle, effects),
            Stage::Granted(Grant { id, idle: None }) => self.leave(id, effects),
        }
    }

    /// A connection of which nobody needs more: it is the next one's, or lies idle.
    pub(super) fn give_back(&mut self, id: u64, idle: C, effects: &mut Effects<C>) {
        let Some(origin) = self.members.get(&id).map(|member| Arc::clone(&member.origin)) else {
            // It has ended meanwhile.
            return effects.closed.push(idle);
        };
        let before = self.first_without();
        let since = self.number();
        let Some(local) = self.origins.get_mut(&origin) else { return effects.closed.push(idle) };
        match local.line.first().copied() {
            Some(front) if before.is_none_or(|ticket| front <= ticket) => {
                local.line.remove(&front);
                self.stand(id, Standing::Promised(front));
                self.grant(front, Grant { id, idle: Some(idle) }, effects);
            }
            // Somebody at another origin has waited for longer: its place is theirs.
            Some(_) => {
                self.stand(id, Standing::Closing);
                self.closing += 1;
                effects.closed.push(idle);
            }
            None => {
                local.idle.push(since);
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
    pub(super) fn leave(&mut self, id: u64, effects: &mut Effects<C>) {
        let Some(Member { origin, standing }) = self.members.remove(&id) else { return };
        if let Some(local) = self.origins.get_mut(&origin) {
            local.taken = local.taken.saturating_sub(1);
        }
        match standing {
            Standing::Taken => {}
            Standing::Closing => self.closing = self.closing.saturating_sub(1),
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
    pub(super) fn renew(&mut self, id: u64, waker: Waker) -> Option<u64> {
        let origin = Arc::clone(&self.members.get(&id)?.origin);
        let ticket = self.number();
        self.stand(id, Standing::Promised(ticket));
        self.waits.insert(ticket, Wait { origin, stage: Stage::Renewing(id, waker) });
        Some(ticket)
    }

    pub(super) fn counted(&self) -> Counted {
        let waiting = self.waits.values().filter(|wait| !matches!(wait.stage, Stage::Granted(_))).count();
        Counted { taken: self.members.len(), idle: self.idle.len(), waiting }
    }

    /// True if nothing is kept of all that was.
    #[cfg(test)]
    pub(super) fn is_blank(&self) -> bool {
        self.members.is_empty() && self.origins.is_empty() && self.waits.is_empty() && self.closing == 0
    }

    /// Free places go to those who have waited longest of those whose origin has room. If there are none, idle connections
    /// make room.
    fn settle(&mut self, effects: &mut Effects<C>) {
        if self.waits.is_empty() {
            return;
        }
        while !self.is_full() {
            let Some(ticket) = self.in_want_of_room().min() else { return };
            let Some(origin) = self.waits.get(&ticket).map(|wait| Arc::clone(&wait.origin)) else { return };
            if let Some(local) = self.origins.get_mut(&origin) {
                local.line.remove(&ticket);
            }
            let id = self.admit(origin);
            self.grant(ticket, Grant { id, idle: None }, effects);
        }
        while !self.idle.is_empty() && self.closing < self.in_want_of_room().count() {
            self.close_oldest(effects);
        }
    }

    /// The tickets of those whose origin has room, in no order: they wait for room in all.
    fn in_want_of_room(&self) -> impl Iterator<Item = u64> {
        let most = self.limits.per_origin;
        self.origins
            .values()
            .flat_map(move |local| local.line.iter().take(most.saturating_sub(local.taken)).copied())
    }

    /// Who has waited longest for room in all, of those for whom no connection is closing.
    fn first_without(&self) -> Option<u64> {
        if !self.is_full() || self.waits.is_empty() {
            return None;
        }
        let mut tickets: Vec<_> = self.in_want_of_room().collect();
        tickets.sort_unstable();
        tickets.get(self.closing).copied()
    }

    fn is_full(&self) -> bool {
        self.members.len() >= self.limits.connections
    }

    /// Takes a new place.
    fn admit(&mut self, origin: Arc<Origin>) -> u64 {
        let id = self.number();
        self.origins.entry(Arc::clone(&origin)).or_default().taken += 1;
        self.members.insert(id, Member { origin, standing: Standing::Taken });
        id
    }

    fn grant(&mut self, ticket: u64, grant: Grant<C>, effects: &mut Effects<C>) {
        let Some(wait) = self.waits.get_mut(&ticket) else { return };
        match mem::replace(&mut wait.stage, Stage::Granted(grant)) {
            Stage::InLine(waker) | Stage::Renewing(_, waker) => effects.woken.add(waker),
            // A connection that ended before it was looked at.
            Stage::Granted(Grant { idle, .. }) => effects.closed.extend(idle),
        }
    }

    fn stand(&mut self, id: u64, standing: Standing) {
        if let Some(member) = self.members.get_mut(&id) {
            member.standing = standing;
        }
    }

    /// Tells the connection that lies idle since then to close.
    fn close(&mut self, since: u64, effects: &mut Effects<C>) {
        let Some((id, _)) = self.idle.get(&since) else { return };
        let Some(member) = self.members.get_mut(id) else { return };
        member.standing = Standing::Closing;
        self.closing += 1;
        let origin = Arc::clone(&member.origin);
        effects.closed.extend(self.take_idle(&origin, since));
    }

    fn close_oldest(&mut self, effects: &mut Effects<C>) {
        if let Some(since) = self.idle.keys().next().copied() {
            self.close(since, effects);
        }
    }

    fn take_idle(&mut self, origin: &Origin, since: u64) -> Option<C> {
        if let Some(local) = self.origins.get_mut(origin) {
            local.idle.retain(|&other| other != since);
        }
        self.idle.remove(&since).map(|(_, idle)| idle)
    }

    /// Nothing is kept of an origin at which there is nothing.
    fn forget(&mut self, origin: &Origin) {
        if self.origins.get(origin).is_some_and(|local| local.taken == 0 && local.line.is_empty()) {
            self.origins.remove(origin);
        }
    }

    fn key(&self, origin: &Origin) -> Arc<Origin> {
        let known = self.origins.get_key_value(origin);
        known.map_or_else(|| Arc::new(origin.clone()), |(known, _)| Arc::clone(known))
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl<C> Default for Effects<C> {
    fn default() -> Self {
        Self { closed: Vec::new(), woken: Woken::default() }
    }
}
