//! The state that the connections of one server share: their number, their bytes, and the signal to stop.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;
use std::time::Instant;

use slab::Slab;

use super::{Link, Settings};
use crate::server::{Counters, Networks, ticks};
use crate::sync::Apart;
use crate::{Ended, Endpoints, OnEnd, ServerConfig};

/// Shared by a server and its connections.
pub(crate) struct Shared {
    pub(crate) counters: Arc<Counters>,
    pub(crate) held_limit: usize,
    pub(crate) connections: usize,
    /// It has a listener, whose connections share the limits.
    has_listener: bool,
    pub(crate) settings: Settings,
    on_end: Option<OnEnd>,
    members: Mutex<Members>,
    draining: AtomicBool,
    cut: AtomicBool,
    held: Apart<AtomicUsize>,
    /// The connections hold nearly as much as they may.
    pub(crate) pressed: AtomicBool,
    /// They hold more than they may, and shedding does not help.
    pub(crate) overloaded: AtomicBool,
    began: Instant,
}

#[derive(Default)]
struct Members {
    links: Slab<Weak<Link>>,
    /// The accept loop, which lets connections go when there is no room, and waits until there is.
    watcher: Option<Waker>,
    /// The networks of the peers, if they are counted.
    networks: Option<Networks>,
}

/// A connection's membership: it is a member while this lives, and leaves exactly once.
pub(crate) struct Member {
    shared: Arc<Shared>,
    key: usize,
}

impl Shared {
    /// For one connection, which shares nothing.
    pub(crate) fn alone(settings: impl Into<Settings>) -> Arc<Self> {
        Arc::new(Self::new(Arc::default(), settings.into()))
    }

    /// For the connections of a listener.
    pub(crate) fn of_listener(counters: Arc<Counters>, config: &ServerConfig) -> Arc<Self> {
        let networks = config.admit.is_some().then(Networks::default);
        Arc::new(Self {
            held_limit: config.held_bytes,
            connections: config.connections.max(1),
            has_listener: true,
            on_end: config.on_end.clone(),
            members: Members { networks, ..Members::default() }.into(),
            ..Self::new(counters, config.into())
        })
    }

    fn new(counters: Arc<Counters>, settings: Settings) -> Self {
        Self {
            counters,
            held_limit: usize::MAX,
            connections: usize::MAX,
            has_listener: false,
            settings,
            on_end: None,
            members: Mutex::default(),
            draining: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            held: Apart::default(),
            pressed: AtomicBool::new(false),
            overloaded: AtomicBool::new(false),
            began: Instant::now(),
        }
    }

    /// Makes a connection a member, before it can end.
    pub(crate) fn join(self: &Arc<Self>, link: &Arc<Link>) -> Member {
        let mut members = self.members();
        let key = members.links.insert(Arc::downgrade(link));
        if let Some(networks) = &mut members.networks {
            networks.join(key, &link.endpoints.peer);
        }
        drop(members);
        Member { shared: Arc::clone(self), key }
    }

    /// Calls `on_end` with how a connection has ended, if it is set.
    pub(crate) fn tell_end(&self, endpoints: &Endpoints, ended: &Ended) {
        if let Some(on_end) = &self.on_end {
            on_end(endpoints, ended);
        }
    }

    /// The number of connections from the network of this peer, if they are counted.
    pub(crate) fn open_from(&self, endpoints: &Endpoints) -> usize {
        self.members().networks.as_ref().map_or(0, |networks| networks.open_from(&endpoints.peer))
    }

    /// True if its connections share the limits of a listener.
    #[inline]
    pub(crate) fn has_listener(&self) -> bool {
        self.has_listener
    }

    /// The time, in hundredths of a second.
    pub(crate) fn now(&self) -> u32 {
        ticks(self.began.elapsed())
    }

    /// The number of members. Wakes `waker` when one leaves, or when what they hold needs a look.
    pub(crate) fn watch(&self, waker: &Waker) -> usize {
        let mut members = self.members();
        match &mut members.watcher {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        members.links.len()
    }

    /// Tells every connection that the next response is its last, and idle ones to close.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        self.wake_all();
    }

    /// Tells every connection to stop at once.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::Release);
        self.wake_all();
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }

    /// Updates the bytes of one connection from `before` to `after`. Called under that connection's lock, so the accept
    /// loop does what needs the locks of others.
    pub(crate) fn charge(&self, before: usize, after: usize) {
        let needs_look = if after >= before {
            let held = self.held.fetch_add(after - before, Ordering::Relaxed).saturating_add(after - before);
            held > self.high_water() && !self.pressed.swap(true, Ordering::AcqRel)
        } else {
            let held = self.held.fetch_sub(before - after, Ordering::Relaxed).saturating_sub(before - after);
            held <= self.low_water() && self.is_pressed()
        };
        if needs_look {
            let watcher = self.members().watcher.take();
            if let Some(watcher) = watcher {
                watcher.wake();
            }
        }
    }

    /// The bytes that all connections held when each last waited.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// True if all connections together hold more than allowed, and shedding does not help.
    pub(crate) fn is_overloaded(&self) -> bool {
        self.held() > self.held_limit && self.overloaded.load(Ordering::Relaxed)
    }

    /// True if they hold nearly that much: those that hold more than a buffer are not read.
    #[inline]
    pub(crate) fn is_pressed(&self) -> bool {
        self.pressed.load(Ordering::Acquire)
    }

    /// Every connection that is still there.
    pub(crate) fn links(&self) -> Vec<Arc<Link>> {
        self.members().links.iter().filter_map(|(_, link)| link.upgrade()).collect()
    }

    /// A connection looks at the flags and leaves its waker under its own lock, which is taken here after the
    /// flags are set: so each either sees the flag or is woken.
    fn wake_all(&self) {
        for link in self.links() {
            link.lock().wake_driver();
        }
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut members = self.shared.members();
        members.links.try_remove(self.key);
        if let Some(networks) = &mut members.networks {
            networks.leave(self.key);
        }
        let watcher = members.watcher.take();
        drop(members);
        self.shared.counters.ended.add();
        if let Some(watcher) = watcher {
            watcher.wake();
        }
    }
}
