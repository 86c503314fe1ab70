//! The state that the connections of one server share: their number, their bytes, and the signal to stop.

use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use super::members::{Member, Members};
use super::{Link, Settings};
use crate::server::{Counters, Late, Networks, ticks};
use crate::sync::Apart;
use crate::{Admit, Ended, Info, OnEnd, ServerConfig};

/// Shared by a server and its connections.
pub(crate) struct Shared {
    pub(crate) counters: Arc<Counters>,
    pub(crate) held_limit: usize,
    pub(crate) connections: usize,
    /// The connections are a server's, and share the limits.
    is_server: bool,
    admit: Option<Admit>,
    shutdown_time: Duration,
    pub(crate) settings: Settings,
    on_end: Option<OnEnd>,
    members: Mutex<Members>,
    draining: AtomicBool,
    /// The time that the connections have from then on, in milliseconds.
    stop_time: AtomicU64,
    held: Apart<AtomicUsize>,
    /// The connections hold nearly as much as they may.
    pub(crate) pressed: AtomicBool,
    /// They hold more than they may, and shedding does not help.
    pub(crate) overloaded: AtomicBool,
    /// Which of the tenders sheds.
    tending: AtomicUsize,
    began: Instant,
}

impl Shared {
    /// For one connection, which shares nothing.
    pub(crate) fn alone(settings: impl Into<Settings>) -> Arc<Self> {
        Arc::new(Self::new(settings.into()))
    }

    /// For the connections of a server.
    pub(crate) fn of_server(config: &ServerConfig) -> Arc<Self> {
        let networks = config.admit.is_some().then(Networks::default);
        Arc::new(Self {
            held_limit: config.held_bytes,
            connections: config.connections.max(1),
            is_server: true,
            admit: config.admit.clone(),
            shutdown_time: config.shutdown_time,
            on_end: config.on_end.clone(),
            members: Members { networks, ..Members::default() }.into(),
            ..Self::new(config.into())
        })
    }

    fn new(settings: Settings) -> Self {
        Self {
            counters: Arc::default(),
            held_limit: usize::MAX,
            connections: usize::MAX,
            is_server: false,
            admit: None,
            shutdown_time: Duration::ZERO,
            settings,
            on_end: None,
            members: Mutex::default(),
            draining: AtomicBool::new(false),
            stop_time: AtomicU64::new(0),
            held: Apart::default(),
            pressed: AtomicBool::new(false),
            overloaded: AtomicBool::new(false),
            tending: AtomicUsize::new(NO_TENDER),
            began: Instant::now(),
        }
    }

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

    /// Calls `on_end` with how a connection has ended, if it is set.
    pub(crate) fn tell_end(&self, info: &Info, ended: &Ended) {
        if let Some(on_end) = &self.on_end {
            on_end(info, ended);
        }
    }

    /// True if its connections are a server's, and share the limits.
    #[inline]
    pub(crate) fn is_server(&self) -> bool {
        self.is_server
    }

    /// The time, in hundredths of a second.
    pub(crate) fn now(&self) -> u32 {
        ticks(self.began.elapsed())
    }

    /// Tells every connection that the next response is its last, and idle ones to close. Those that are still there
    /// after `time` end then. A later call only sets the time, which began with the first.
    pub(crate) fn stop(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.stop_time.store(millis, Ordering::Relaxed);
        let mut members = self.members();
        if !self.draining.swap(true, Ordering::AcqRel) {
            members.at_stop = members.links.len();
        }
        let mut woken = members.take_watchers();
        woken.extend(members.waiting.values_mut().filter_map(Option::take));
        drop(members);
        woken.into_iter().for_each(Waker::wake);
        // A connection looks at the flag and leaves its waker under its own lock, which is taken here after the flag is
        // set: so each either sees the flag or is woken.
        for link in self.links() {
            link.lock().wake_driver();
        }
    }

    /// Stops as the settings say, unless it stops already.
    pub(crate) fn stop_by_default(&self) {
        if !self.is_draining() {
            self.stop(self.shutdown_time);
        }
    }

    /// The time that open exchanges have once the server stops, if nothing else is said.
    pub(crate) fn shutdown_time(&self) -> Duration {
        self.shutdown_time
    }

    /// The time that connections have once the server stops. `None` while it does not.
    pub(crate) fn stop_time(&self) -> Option<Duration> {
        self.is_draining().then(|| Duration::from_millis(self.stop_time.load(Ordering::Relaxed)))
    }

    /// Notes a connection that did not end in time.
    pub(crate) fn note_late(&self, late: Late) {
        self.members().late.push(late);
    }

    /// How many connections there were when the server was told to stop, and those that did not end in time.
    pub(crate) fn take_late(&self) -> (usize, Vec<Late>) {
        let mut members = self.members();
        (members.at_stop, mem::take(&mut members.late))
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Updates the bytes of one connection from `before` to `after`. Called under that connection's lock, so a tender
    /// does what needs the locks of others.
    pub(crate) fn charge(&self, before: usize, after: usize) {
        let needs_look = if after >= before {
            let held = self.held.fetch_add(after - before, Ordering::Relaxed).saturating_add(after - before);
            held > self.high_water() && !self.pressed.swap(true, Ordering::AcqRel)
        } else {
            let held = self.held.fetch_sub(before - after, Ordering::Relaxed).saturating_sub(before - after);
            held <= self.low_water() && self.is_pressed()
        };
        if needs_look {
            self.wake_tender();
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
        self.members().links.iter().filter_map(|(_, link)| link.as_ref()?.upgrade()).collect()
    }

    /// Adds something that can shed. Returns its key.
    pub(crate) fn add_tender(&self, waker: Waker) -> usize {
        self.members().tenders.insert(waker)
    }

    pub(crate) fn move_tender(&self, key: usize, waker: Waker) {
        let mut members = self.members();
        let before = members.tenders.get_mut(key).map(|known| mem::replace(known, waker));
        drop(members);
        drop(before);
    }

    pub(crate) fn remove_tender(&self, key: usize) {
        let removed = self.members().tenders.try_remove(key);
        drop(removed);
        self.stops_tending(key);
        if self.is_pressed() {
            self.wake_tender();
        }
    }

    /// True if this tender is the one that sheds.
    pub(crate) fn tends(&self, key: usize) -> bool {
        match self.tending.compare_exchange(NO_TENDER, key, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => true,
            Err(tending) => tending == key,
        }
    }

    pub(crate) fn stops_tending(&self, key: usize) {
        // It fails if another one sheds.
        let _ = self.tending.compare_exchange(key, NO_TENDER, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Wakes the tender that sheds, or one that can.
    fn wake_tender(&self) {
        let members = self.members();
        let tending = members.tenders.get(self.tending.load(Ordering::Acquire));
        let waker = tending.or_else(|| members.tenders.iter().next().map(|(_, waker)| waker)).cloned();
        drop(members);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const NO_TENDER: usize = usize::MAX;
