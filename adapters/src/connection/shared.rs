//! The state that the connections of one server share: their number, their bytes, and the signal to stop.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;
use std::time::Instant;

use endwell_core::OutboxLimits;
use slab::Slab;

use super::Link;
use crate::server::{Counters, LifeLimits, Networks, ticks};
use crate::sync::Apart;
use crate::ws::OutletLimits;
use crate::{Config, Ended, Endpoints, OnEnd};

/// Shared by a server and its connections.
pub(crate) struct Shared {
    pub(crate) counters: Arc<Counters>,
    pub(crate) held_limit: usize,
    pub(crate) connections: usize,
    /// It has a listener, whose connections share the limits.
    has_listener: bool,
    /// Of HTTP, in the role of these connections.
    pub(crate) http: Arc<endwell_core::http::Limits>,
    /// Of what is queued.
    pub(crate) output: Arc<OutboxLimits>,
    /// For the WebSockets that exchanges become.
    pub(crate) ws_limits: Arc<endwell_core::ws::Limits>,
    #[cfg(feature = "deflate")]
    pub(crate) deflate: Option<Arc<endwell_core::ws::Deflate>>,
    pub(crate) outlet_limits: OutletLimits,
    /// For handlers.
    pub(crate) life: LifeLimits,
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
    /// For one connection.
    pub(crate) fn alone(config: &Config) -> Arc<Self> {
        Self::new(Arc::default(), config, false)
    }

    /// For the connections of a listener.
    pub(crate) fn of_listener(counters: Arc<Counters>, config: &Config) -> Arc<Self> {
        Self::new(counters, config, true)
    }

    fn new(counters: Arc<Counters>, config: &Config, has_listener: bool) -> Arc<Self> {
        let networks = config.admit.is_some().then(Networks::default);
        Arc::new(Self {
            counters,
            held_limit: config.held_bytes,
            connections: config.connections.max(1),
            has_listener,
            http: Arc::new(config.http.clone()),
            output: Arc::new(output_limits(config)),
            ws_limits: Arc::new(config.ws.clone()),
            #[cfg(feature = "deflate")]
            deflate: config.deflate.clone().map(Arc::new),
            outlet_limits: config.outlet,
            life: LifeLimits::new(config),
            on_end: config.on_end.clone(),
            members: Members { networks, ..Members::default() }.into(),
            draining: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            held: Apart::default(),
            pressed: AtomicBool::new(false),
            overloaded: AtomicBool::new(false),
            began: Instant::now(),
        })
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

/// The limits that are set, with room for at least one chunk: a writer that waits for an empty outbox must fit.
fn output_limits(config: &Config) -> OutboxLimits {
    let bytes = config.output.bytes.max(LEAST_OUTPUT);
    OutboxLimits { bytes, high_water: config.output.high_water.min(bytes), ..config.output }
}

/// The smallest limit of an outbox.
const LEAST_OUTPUT: usize = 4096;

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
