//! The places of a pool: which are taken, which connections are idle, and which requests wait, in order. No I/O, no
//! clock, no lock.
//!
//! A place is taken from before a connection is made until its socket is closed, so the bound is one on sockets. These
//! hold after every change:
//!
//! - there are never more places taken than allowed, at one origin or in all;
//! - no request waits that could be served: an origin with an idle connection has no waiting request, and while there
//!   is room in all, no request waits whose origin has room;
//! - each request that waits for room in all has a connection that is closing for it, as long as a connection is idle
//!   anywhere.
//!
//! Each change costs O(log n) of all entries, however many origins: what is in order stays so, and nothing is searched.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use std::sync::Arc;
use std::task::Waker;

use super::PoolLimits;
use super::number::Number;
use super::queue::{Moved, Queue};
use crate::client::Origin;
use crate::sync::Woken;

/// The places that are taken, and the requests that wait for one. `C` is an idle connection.
pub(super) struct Places<C> {
    limits: PoolLimits,
    /// The places that are taken.
    members: BTreeMap<Number, Member>,
    /// The origins with a taken place or a waiting request.
    origins: HashMap<Arc<Origin>, Local>,
    /// The idle connections by number, in order of arrival.
    idle: BTreeMap<Number, (Number, C)>,
    /// The requests that wait, or whose grant is ready, by ticket.
    waits: BTreeMap<Number, Wait<C>>,
    /// The number of those that are granted.
    granted: usize,
    /// The requests that wait for room in all; their origins have room. As many are ahead as there were idle
    /// connections that were told to close.
    wanting: Queue,
    /// The last number.
    last: Number,
}

/// A granted place, with the connection that was idle in it, if any.
pub(super) struct Grant<C> {
    pub(super) id: Number,
    pub(super) idle: Option<C>,
}

/// The effects of a change, to be dropped when no lock is held: connections close, and waiting requests wake.
pub(super) struct Effects<C> {
    pub(super) closed: Vec<C>,
    pub(super) woken: Woken,
}

/// The taken places, those of them with idle connections, and the waiting requests.
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
    /// A connection is being made or in use.
    Taken,
    /// The connection has been idle since this number.
    Idle(Number),
    /// It was idle, and was told to close.
    Closing,
    /// The connection, or else the place that it leaves, is promised to this ticket.
    Promised(Number),
}

/// The state of one origin.
struct Local {
    taken: usize,
    /// When connections became idle; the last was used most recently.
    idle: BTreeSet<Number>,
    /// The waiting requests. Those ahead have room here, and wait for room in all.
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
        // A pool without room for one connection could serve no request.
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

    /// Takes a place at `origin` for which no request waits: with the connection that was used most recently, or a new
    /// one.
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

    /// Adds a request that waits for a place at `origin`, after there was none. Returns its ticket.
    pub(super) fn wait(&mut self, origin: &Origin, waker: Waker, effects: &mut Effects<C>) -> Number {
        let (ticket, origin) = (self.number(), self.key(origin));
        self.line_up(&origin, |local| local.line.insert(ticket));
        self.waits.insert(ticket, Wait { origin, stage: Stage::InLine(waker) });
        self.settle(effects);
        ticket
    }

    /// Returns the result of the wait with this ticket. It continues with `waker`.
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

    /// Gives up the wait. What was granted goes to the next request.
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

    /// Returns a connection that is no longer needed: to the next request, or to be idle.
    pub(super) fn give_back(&mut self, id: Number, idle: C, effects: &mut Effects<C>) {
        let Some(origin) = self.members.get(&id).map(|member| Arc::clone(&member.origin)) else {
            // It has ended meanwhile.
            return effects.closed.push(idle);
        };
        let since = self.number();
        let Some(local) = self.origins.get_mut(&origin) else { return effects.closed.push(idle) };
        // The request that has waited longest for room in all, of those for which no connection is closing.
        let longest = self.wanting.first_behind();
        match local.line.first() {
            Some(front) if longest.is_none_or(|longest| front <= longest) => {
                self.line_up(&origin, |local| local.line.remove(front));
                self.stand(id, Standing::Promised(front));
                self.grant(front, Grant { id, idle: Some(idle) }, effects);
            }
            // A request at another origin has waited longer: it gets the place.
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

    /// Frees the place, because the socket is closed or none was made.
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

    /// Waits for the place of a connection in use that closes, to use it for a new one. Returns the ticket. `None` if
    /// the place is already free, and perhaps taken again.
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

    /// Grants free places to the requests that have waited longest, of those whose origin has room. If no place is free,
    /// idle connections make room.
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

    /// Changes the state of an origin, and with it the requests that wait for room in all.
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

    /// Tells the connection that has been idle since then to close.
    fn close(&mut self, since: Number, effects: &mut Effects<C>) {
        let Some(id) = self.idle.get(&since).map(|(id, _)| *id) else { return };
        let Some(origin) = self.members.get(&id).map(|member| Arc::clone(&member.origin)) else { return };
        self.close_one(id);
        effects.closed.extend(self.take_idle(&origin, since));
    }

    /// Closes the oldest idle connection. False if no connection is idle.
    fn close_oldest(&mut self, effects: &mut Effects<C>) -> bool {
        let oldest = self.idle.keys().next().copied();
        if let Some(since) = oldest {
            self.close(since, effects);
        }
        oldest.is_some()
    }

    /// Notes that a connection closes, for a request that waits for room in all.
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

    /// Forgets an origin without places and requests.
    fn forget(&mut self, origin: &Origin) {
        if self.origins.get(origin).is_some_and(|local| local.taken == 0 && local.line.is_empty()) {
            self.origins.remove(origin);
            // A table keeps the size that it once needed. At least half of it is freed at a time, so this costs O(1) a
            // change.
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

    /// True if no state is left.
    #[cfg(test)]
    pub(super) fn is_blank(&self) -> bool {
        let is_empty = self.members.is_empty() && self.origins.is_empty() && self.waits.is_empty();
        is_empty && self.wanting.is_empty() && self.wanting.room() == 0 && self.granted == 0
    }

    /// Checks that duplicated state agrees, and that no empty origin is kept.
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

/// The number of origins below which a table is not made smaller.
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
