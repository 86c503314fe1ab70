//! The state that the connections of one server share: their number, their bytes, and the signal to stop.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;

use slab::Slab;

use crate::counters::Counters;
use crate::wire::{LifeLimits, Link};
use crate::ws::OutletLimits;
use crate::{Config, Ended, Endpoints, OnEnd};

/// Shared by a server and its connections.
pub(crate) struct Hub {
    pub(crate) counters: Arc<Counters>,
    held_limit: usize,
    /// For the WebSockets that exchanges become.
    pub(crate) ws_limits: Arc<endwell_core::ws::Limits>,
    #[cfg(feature = "deflate")]
    pub(crate) deflate: Option<Arc<endwell_core::ws::Deflate>>,
    pub(crate) outlet_limits: OutletLimits,
    /// For handlers.
    pub(crate) life: LifeLimits,
    /// For responses that a client does not read to their end.
    pub(crate) drain_bytes: u64,
    on_end: Option<OnEnd>,
    members: Mutex<Members>,
    draining: AtomicBool,
    cut: AtomicBool,
    held: AtomicUsize,
}

#[derive(Default)]
struct Members {
    links: Slab<Weak<Link>>,
    /// The accept loop, while it waits for a connection to leave, or for the connections to hold less.
    watcher: Option<Waker>,
}

/// A connection's membership: it is a member while this lives, and leaves exactly once.
pub(crate) struct Member {
    hub: Arc<Hub>,
    key: usize,
}

impl Hub {
    pub(crate) fn new(counters: Arc<Counters>, config: &Config) -> Arc<Self> {
        Arc::new(Self {
            counters,
            held_limit: config.held_bytes,
            ws_limits: Arc::new(config.ws.clone()),
            #[cfg(feature = "deflate")]
            deflate: config.deflate.clone().map(Arc::new),
            outlet_limits: config.outlet,
            life: LifeLimits::new(config),
            drain_bytes: config.http.drain_bytes,
            on_end: config.on_end.clone(),
            members: Mutex::default(),
            draining: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            held: AtomicUsize::new(0),
        })
    }

    /// Makes a connection a member, before it can end.
    pub(crate) fn join(self: &Arc<Self>, link: &Arc<Link>) -> Member {
        let key = self.members().links.insert(Arc::downgrade(link));
        Member { hub: Arc::clone(self), key }
    }

    /// Calls `on_end` with how a connection has ended, if it is set.
    pub(crate) fn tell_end(&self, endpoints: &Endpoints, ended: &Ended) {
        if let Some(on_end) = &self.on_end {
            on_end(endpoints, ended);
        }
    }

    /// The number of members. Wakes `waker` when one leaves, or when they no longer hold too much.
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

    /// Updates the bytes of one connection from `before` to `after`.
    pub(crate) fn charge(&self, before: usize, after: usize) {
        if after >= before {
            self.held.fetch_add(after - before, Ordering::Relaxed);
        } else {
            let held = self.held.fetch_sub(before - after, Ordering::Relaxed);
            // The accept loop waits for this as well as for a member to leave.
            if held > self.held_limit && held - (before - after) <= self.held_limit {
                let watcher = self.members().watcher.take();
                if let Some(watcher) = watcher {
                    watcher.wake();
                }
            }
        }
    }

    /// True if all connections together hold more than allowed, as of when each last waited.
    pub(crate) fn is_overloaded(&self) -> bool {
        self.held.load(Ordering::Relaxed) > self.held_limit
    }

    /// A connection looks at the flags and leaves its waker under its own lock, which is taken here after the
    /// flags are set: so each either sees the flag or is woken.
    fn wake_all(&self) {
        let links: Vec<Arc<Link>> =
            self.members().links.iter().filter_map(|(_, link)| link.upgrade()).collect();
        for link in links {
            link.lock().wake_driver();
        }
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut members = self.hub.members();
        members.links.try_remove(self.key);
        let watcher = members.watcher.take();
        drop(members);
        self.hub.counters.ended.add();
        if let Some(watcher) = watcher {
            watcher.wake();
        }
    }
}
