//! Counts of events.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::sync::Apart;

/// Counts of a server's events. Each only grows.
#[derive(Debug, Default)]
pub struct Counters {
    pub(crate) accepted: Count,
    pub(crate) ended: Count,
    pub(crate) exchanges: Apart<Count>,
    pub(crate) refused: Count,
    pub(crate) unanswered: Count,
    pub(crate) failed: Count,
    pub(crate) panicked: Count,
    pub(crate) cancelled: Count,
    pub(crate) aborted: Count,
    pub(crate) overloaded: Count,
    pub(crate) shed: Count,
    pub(crate) not_admitted: Count,
    pub(crate) accept_errors: Count,
}

#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self) {
        // Only a count, on which nothing depends: no ordering with other memory is needed.
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    /// Connections accepted.
    pub fn accepted(&self) -> u64 {
        self.accepted.get()
    }

    /// Connections that have ended.
    pub fn ended(&self) -> u64 {
        self.ended.get()
    }

    /// Requests handed to a handler.
    pub fn exchanges(&self) -> u64 {
        self.exchanges.get()
    }

    /// Requests refused because their head broke the protocol or a limit.
    pub fn refused(&self) -> u64 {
        self.refused.get()
    }

    /// Exchanges that a handler dropped without a response, also by a panic. Not those whose request could not be read,
    /// whose handler returned an error, or whose handler's time was over.
    pub fn unanswered(&self) -> u64 {
        self.unanswered.get()
    }

    /// Handlers that returned an error of their own: not how their connection had ended, nor that the request could not
    /// be read.
    pub fn failed(&self) -> u64 {
        self.failed.get()
    }

    /// Handlers that panicked.
    pub fn panicked(&self) -> u64 {
        self.panicked.get()
    }

    /// Handlers that were dropped, since their connection had ended, their time was over, or a shutdown cut them off.
    pub fn cancelled(&self) -> u64 {
        self.cancelled.get()
    }

    /// Responses that the handler cut off after their head was written. Not those whose client left, or whose request
    /// could not be read.
    pub fn aborted(&self) -> u64 {
        self.aborted.get()
    }

    /// Requests answered with 503, because the connections together held too much, or because the system had no thread
    /// for a handler that needs one.
    pub fn overloaded(&self) -> u64 {
        self.overloaded.get()
    }

    /// Connections that the server ended because all together held too much
    /// ([`ServerConfig::held_bytes`](crate::ServerConfig::held_bytes)), or to make room for others
    /// ([`ServerConfig::connections`](crate::ServerConfig::connections)).
    pub fn shed(&self) -> u64 {
        self.shed.get()
    }

    /// Connections that [`ServerConfig::admit`](crate::ServerConfig::admit) refused. They do not count as accepted.
    pub fn not_admitted(&self) -> u64 {
        self.not_admitted.get()
    }

    /// Errors of `accept`, such as too many open files, and connections for which the runtime had no room, such as no
    /// thread. Accepting continued after each.
    pub fn accept_errors(&self) -> u64 {
        self.accept_errors.get()
    }
}
