//! What the clones of a hub and its members share.
//!
//! The lock on the registry is held for one change, or for one step of a fan-out, and never while a message is handed to
//! a receiver, a task is woken, or a value of the program's is dropped. A fan-out holds only what orders it: the lock of
//! its topic.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use slab::Slab;

use super::notices::Notices;
use super::observer::{Observer, Seen};
use super::registry::{Registry, Walk};
use super::{ConnectionKey, Departure, HubConfig, HubEvent, Nodes, Notice, Seat};
use crate::sync::{Lock, Locked, Woken};
use crate::ws::Close;

/// The receivers that a fan-out takes at a time: some microseconds of the lock, and 2 KiB.
pub(super) const STEP: usize = 256;

/// The locks that order what is sent to users. Users share them, since a fan-out to one user is short.
const USERS: usize = 16;

pub(super) struct Shared {
    state: Lock<State>,
    /// Orders what is sent to everyone.
    everyone: Lock<()>,
    users: [Lock<()>; USERS],
    hasher: RandomState,
    began: Instant,
    pub(super) nodes: Nodes,
    pub(super) observer: Observer,
    /// Tells the other nodes, when this is dropped.
    #[cfg(feature = "cluster")]
    _end: Option<super::nodes::EndOfHub>,
    pub(super) replaced: Close,
    pub(super) draining: Close,
}

pub(super) struct State {
    pub(super) registry: Registry<Arc<Seat>>,
    pub(super) notices: Notices,
    /// The tasks that wait for an event.
    readers: Slab<Option<Waker>>,
    /// The events that they were woken for.
    told: u64,
    /// The tasks that wait until the hub is empty.
    pub(super) emptied: Slab<Option<Waker>>,
    /// The time that connections have, once they are drained.
    pub(super) draining: Option<Duration>,
    /// The other nodes, which are told what changes.
    pub(super) nodes: Nodes,
}

impl Shared {
    #[cfg(feature = "cluster")]
    pub(super) fn over(config: &HubConfig, nodes: Nodes, end: super::nodes::EndOfHub) -> Self {
        Self { _end: Some(end), ..Self::with(config, nodes) }
    }

    pub(super) fn new(config: &HubConfig) -> Self {
        Self::with(config, Nodes::none())
    }

    fn with(config: &HubConfig, nodes: Nodes) -> Self {
        Self {
            state: Lock::new(State {
                registry: Registry::new(config),
                notices: Notices::default(),
                readers: Slab::new(),
                told: 0,
                emptied: Slab::new(),
                draining: None,
                nodes: nodes.clone(),
            }),
            everyone: Lock::new(()),
            users: std::array::from_fn(|_| Lock::new(())),
            hasher: RandomState::new(),
            began: Instant::now(),
            nodes,
            observer: Observer::new(config),
            #[cfg(feature = "cluster")]
            _end: None,
            replaced: config.replaced.clone(),
            draining: config.draining.clone(),
        }
    }

    /// Reads the registry.
    pub(super) fn look<R>(&self, look: impl FnOnce(&Registry<Arc<Seat>>) -> R) -> R {
        look(&self.state.lock().registry)
    }

    /// Changes the state, and wakes the tasks that wait for what has happened, once the lock is released.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut State, &mut Woken) -> R) -> R {
        // Dropped after the lock.
        let mut woken = Woken::default();
        let mut state = self.state.lock();
        let before = self.observer.is_wanted().then(|| {
            state.registry.log.observe();
            state.registry.counts_here()
        });
        let result = change(&mut state, &mut woken);
        state.wake(&mut woken);
        if let Some(before) = before {
            let registry = &mut state.registry;
            let seen = Seen::new(registry.log.take_observed(), before, registry.counts_here());
            drop(state);
            self.observer.tell(&seen);
        }
        result
    }

    /// Removes a connection. Nothing happens if it has left before.
    pub(super) fn leave(&self, key: ConnectionKey, departure: Departure) {
        let left = self.change(|state, woken| state.leave(key, departure, woken));
        // Without the lock: its outlet may be the last.
        drop(left);
    }

    /// The time, in hundredths of a second since the hub began. It wraps after 497 days, and only ages are compared.
    pub(super) fn now(&self) -> u32 {
        u32::try_from(self.began.elapsed().as_millis() / 10 % (1 << 32)).unwrap_or(0)
    }

    /// The time since a member joined.
    pub(super) fn age(&self, seat: &Seat) -> Duration {
        Duration::from_millis(u64::from(self.now().wrapping_sub(seat.since)) * 10)
    }

    /// What a member is told next.
    pub(super) fn poll_told(&self, key: ConnectionKey, cx: &Context<'_>) -> Poll<Notice> {
        self.change(|state, woken| {
            if let Some(notice) = state.notices.next(key) {
                return Poll::Ready(notice);
            }
            if state.registry.member(key).is_none() {
                return Poll::Ready(Notice::Left);
            }
            state.notices.wait(key, cx, woken);
            Poll::Pending
        })
    }

    /// Passes the subscribers of a topic to `each`, in steps.
    ///
    /// This and the next two call `begins` once it is certain who the receivers are, and those that come later are none.
    pub(super) fn each_in_topic(
        &self,
        topic: &str,
        except: &[ConnectionKey],
        begins: impl FnOnce(),
        each: impl FnMut(&Arc<Seat>),
    ) {
        let Some((mut walk, order)) = self.look(|registry| registry.topic(topic)) else { return begins() };
        let _order = order.lock();
        let state = self.state.lock();
        // Under the lock on the order: a later message also goes to later subscribers.
        state.registry.begin(&mut walk);
        begins();
        self.each(state, walk, except, each);
    }

    /// Passes the connections of a user to `each`.
    pub(super) fn each_of_user(
        &self,
        user: &str,
        except: &[ConnectionKey],
        begins: impl FnOnce(),
        each: impl FnMut(&Arc<Seat>),
    ) {
        let users = u64::try_from(USERS).unwrap_or(1);
        let index = usize::try_from(self.hasher.hash_one(user) % users).unwrap_or(0);
        let _order = self.users.get(index).map(Lock::lock);
        let state = self.state.lock();
        let walk = state.registry.user(user);
        begins();
        self.each(state, walk, except, each);
    }

    /// Passes all connections to `each`, in steps.
    pub(super) fn each_of_all(
        &self,
        except: &[ConnectionKey],
        begins: impl FnOnce(),
        each: impl FnMut(&Arc<Seat>),
    ) {
        let _order = self.everyone.lock();
        let state = self.state.lock();
        let walk = state.registry.everyone();
        begins();
        self.each(state, walk, except, each);
    }

    /// The same for what needs no order.
    pub(super) fn each_here(&self, each: impl FnMut(&Arc<Seat>)) {
        let state = self.state.lock();
        let walk = state.registry.everyone();
        self.each(state, walk, &[], each);
    }

    /// The first step is taken with the lock that began the walk.
    fn each(
        &self,
        state: Locked<'_, State>,
        mut walk: Walk,
        except: &[ConnectionKey],
        mut each: impl FnMut(&Arc<Seat>),
    ) {
        let mut found = Vec::new();
        let mut goes_on = state.registry.step(&mut walk, STEP, except, &mut found);
        drop(state);
        loop {
            found.iter().for_each(&mut each);
            found.clear();
            if !goes_on {
                return;
            }
            goes_on = self.state.lock().registry.step(&mut walk, STEP, except, &mut found);
        }
    }

    /// Adds a reader of events. Returns the position of the next event, and the reader's slot.
    pub(super) fn add_reader(&self) -> (u64, usize) {
        let mut state = self.state.lock();
        (state.registry.log.add_reader(), state.readers.insert(None))
    }

    pub(super) fn remove_reader(&self, reader: usize) {
        let mut state = self.state.lock();
        state.registry.log.remove_reader();
        let waker = state.readers.try_remove(reader);
        drop(state);
        drop(waker);
    }

    /// The next event behind `at`.
    pub(super) fn poll_event(&self, reader: usize, at: &mut u64, cx: &Context<'_>) -> Poll<HubEvent> {
        let mut woken = Woken::default();
        let mut state = self.state.lock();
        if let Some(event) = state.registry.log.read(at) {
            return Poll::Ready(event);
        }
        if let Some(slot) = state.readers.get_mut(reader) {
            woken.register(slot, cx.waker());
        }
        Poll::Pending
    }
}

impl State {
    /// Removes a connection, and returns what the hub kept of it.
    pub(super) fn leave(
        &mut self,
        key: ConnectionKey,
        departure: Departure,
        woken: &mut Woken,
    ) -> Option<Arc<Seat>> {
        let left = self.registry.leave(key, departure)?;
        self.nodes.left(key, woken);
        self.notices.wake(key, woken);
        Some(left)
    }

    fn wake(&mut self, woken: &mut Woken) {
        let pushed = self.registry.log.pushed();
        if self.told != pushed {
            self.told = pushed;
            self.readers.iter_mut().for_each(|(_, reader)| woken.take(reader));
        }
        if !self.emptied.is_empty() && self.registry.is_empty() {
            self.emptied.iter_mut().for_each(|(_, waiting)| woken.take(waiting));
        }
    }
}
