//! The state that the connections of one server share: their number, their bytes, and the signal to stop.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Settings;
use crate::server::{Counters, Members, NO_TENDER, Networks, ticks};
use crate::sync::Apart;
use crate::{Admit, Ended, Info, OnBegin, OnEnd, ServerConfig};

/// Shared by a server and its connections.
pub(crate) struct Shared {
    pub(crate) counters: Arc<Counters>,
    pub(crate) held_limit: usize,
    pub(crate) connections: usize,
    /// The connections are a server's, and share the limits.
    is_server: bool,
    pub(crate) admit: Option<Admit>,
    pub(crate) shutdown_time: Duration,
    pub(crate) settings: Settings,
    on_begin: Option<OnBegin>,
    on_end: Option<OnEnd>,
    pub(crate) members: Mutex<Members>,
    pub(crate) draining: AtomicBool,
    /// The time that the connections have from then on, in milliseconds.
    pub(crate) stop_time: AtomicU64,
    held: Apart<AtomicUsize>,
    /// The connections hold nearly as much as they may.
    pub(crate) pressed: AtomicBool,
    /// They hold more than they may, and shedding does not help.
    pub(crate) overloaded: AtomicBool,
    /// Which of the tenders sheds.
    pub(crate) tending: AtomicUsize,
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
            on_begin: config.on_begin.clone(),
            on_end: config.on_end.clone(),
            members: Members::new(networks).into(),
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
            on_begin: None,
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

    /// Calls `on_begin` with what is known of a new connection, if it is set.
    pub(crate) fn tell_begin(&self, info: &mut Info) {
        if let Some(on_begin) = &self.on_begin {
            on_begin(info);
        }
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

    pub(crate) fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
