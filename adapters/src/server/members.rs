//! The members of a server: connections that have a place or wait for one, and the tasks that wait for them.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::task::Waker;

use slab::Slab;

use super::admit::Networks;
use super::shutdown::Late;
use crate::Info;
use crate::connection::{Link, Shared};

#[derive(Default)]
pub(crate) struct Members {
    /// `None`: one that waits for a place.
    pub(super) links: Slab<Option<Weak<Link>>>,
    /// How many have a place.
    pub(super) inside: usize,
    /// Those that wait for a place, in turn. Only the first is woken, when there is one.
    pub(super) waiting: BTreeMap<u64, Option<Waker>>,
    pub(super) turns: u64,
    /// What waits for the server to stop, or to be empty.
    pub(super) watchers: Slab<Option<Waker>>,
    /// How many listeners are open.
    pub(super) listeners: usize,
    /// What sheds connections when they hold too much: one of these does.
    pub(super) tenders: Slab<Waker>,
    /// The networks of the peers, if they are counted.
    pub(super) networks: Option<Networks>,
    /// The number of connections when the server was told to stop.
    pub(super) at_stop: usize,
    pub(super) late: Vec<Late>,
}

/// A connection's membership: it is a member while this lives, and leaves exactly once.
pub(crate) struct Member {
    shared: Arc<Shared>,
    key: usize,
}

/// A turn in the queue for places.
pub(crate) struct Turn {
    shared: Arc<Shared>,
    key: usize,
    /// `None` while it has not queued.
    number: Option<u64>,
}

/// What a [`Turn`] has come to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Queued {
    /// It has a place.
    Inside,
    /// It is the first, and there is no place.
    First,
    /// It waits for others.
    Behind,
}

/// A listener's membership: a server whose last connection has ended waits while this lives.
pub(crate) struct Accepting(Arc<Shared>);

/// A task that waits for the server to stop, or to be empty.
pub(crate) struct Watcher {
    shared: Arc<Shared>,
    key: usize,
}

impl Shared {
    /// Counts a new connection, and asks whether it is served. `None` if not.
    pub(crate) fn arrive(self: &Arc<Self>, info: &Info) -> Option<Member> {
        let mut members = self.members();
        let key = members.links.insert(None);
        let others = members.networks.as_mut().map_or(0, |networks| networks.join(key, &info.peer));
        drop(members);
        // Counted first: of two that come at once, each sees the other.
        let member = Member::new(Arc::clone(self), key);
        if self.admit.as_ref().is_none_or(|admit| admit(info, others)) {
            return Some(member);
        }
        self.counters.not_admitted.add();
        None
    }

    /// Every connection that is still there.
    pub(crate) fn links(&self) -> Vec<Arc<Link>> {
        self.members().links.iter().filter_map(|(_, link)| link.as_ref()?.upgrade()).collect()
    }
}

impl Members {
    /// Of a server. `networks`: the peers are counted by them.
    pub(crate) fn new(networks: Option<Networks>) -> Self {
        Self { networks, ..Self::default() }
    }

    pub(super) fn take_watchers(&mut self) -> Vec<Waker> {
        self.watchers.iter_mut().filter_map(|(_, watcher)| watcher.take()).collect()
    }

    /// The waker of the first that waits for a place, if there is one.
    pub(super) fn next_turn(&mut self, connections: usize) -> Option<Waker> {
        if self.inside >= connections {
            return None;
        }
        self.waiting.first_entry()?.get_mut().take()
    }
}

impl Member {
    fn new(shared: Arc<Shared>, key: usize) -> Self {
        Self { shared, key }
    }

    /// Its turn to get a place.
    pub(crate) fn turn(&self) -> Turn {
        Turn { shared: Arc::clone(&self.shared), key: self.key, number: None }
    }

    /// The connection begins, in its place.
    pub(crate) fn begin(&self, link: &Arc<Link>) {
        if let Some(place) = self.shared.members().links.get_mut(self.key) {
            *place = Some(Arc::downgrade(link));
        }
    }
}

impl Turn {
    /// Takes a place, or queues for one and leaves its waker.
    pub(crate) fn poll(&mut self, waker: &Waker) -> Queued {
        let Self { shared, key, number } = self;
        let mut members = shared.members();
        let first = members.waiting.keys().next().copied();
        let is_first = first.is_none() || first == *number;
        if is_first && members.inside < shared.connections {
            members.inside += 1;
            if let Some(place) = members.links.get_mut(*key) {
                *place = Some(Weak::new());
            }
            shared.counters.accepted.add();
            drop(members);
            self.leave_queue();
            return Queued::Inside;
        }
        let turns = members.turns;
        let number = *number.get_or_insert(turns);
        if number == turns {
            members.turns += 1;
        }
        let before = members.waiting.insert(number, Some(waker.clone()));
        drop(members);
        drop(before);
        if is_first { Queued::First } else { Queued::Behind }
    }

    fn leave_queue(&mut self) {
        let Some(number) = self.number.take() else { return };
        let mut members = self.shared.members();
        let removed = members.waiting.remove(&number);
        let next = members.next_turn(self.shared.connections);
        drop(members);
        drop(removed);
        if let Some(next) = next {
            next.wake();
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.leave_queue();
    }
}

impl Accepting {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        shared.members().listeners += 1;
        Self(Arc::clone(shared))
    }
}

impl Drop for Accepting {
    fn drop(&mut self) {
        let mut members = self.0.members();
        members.listeners = members.listeners.saturating_sub(1);
        let woken = if members.listeners == 0 { members.take_watchers() } else { Vec::new() };
        drop(members);
        woken.into_iter().for_each(Waker::wake);
    }
}

impl Watcher {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        let key = shared.members().watchers.insert(None);
        Self { shared: Arc::clone(shared), key }
    }

    /// True if no connection is left. Otherwise `waker` is woken when none is, and when the server stops.
    pub(crate) fn is_empty(&self, waker: &Waker) -> bool {
        self.look(waker, |members| members.links.is_empty())
    }

    /// True if no connection is left, and no listener. Otherwise `waker` is woken when that may have become true.
    pub(crate) fn is_closed(&self, waker: &Waker) -> bool {
        self.look(waker, |members| members.links.is_empty() && members.listeners == 0)
    }

    fn look(&self, waker: &Waker, is_over: impl FnOnce(&Members) -> bool) -> bool {
        let mut members = self.shared.members();
        let slot = members.watchers.get_mut(self.key);
        let before = slot.and_then(|slot| slot.replace(waker.clone()));
        let is_over = is_over(&members);
        drop(members);
        drop(before);
        is_over
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let removed = self.shared.members().watchers.try_remove(self.key);
        drop(removed);
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut members = self.shared.members();
        let was_inside = members.links.try_remove(self.key).flatten().is_some();
        if let Some(networks) = &mut members.networks {
            networks.leave(self.key);
        }
        if was_inside {
            members.inside = members.inside.saturating_sub(1);
        }
        let mut woken = if members.links.is_empty() { members.take_watchers() } else { Vec::new() };
        woken.extend(members.next_turn(self.shared.connections));
        drop(members);
        if was_inside {
            self.shared.counters.ended.add();
        }
        woken.into_iter().for_each(Waker::wake);
    }
}
