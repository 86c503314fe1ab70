//! How long a handler goes on: as long as its connection, and a little longer.

use std::task::{Context, Poll};
use std::time::Duration;

use endwell_core::http::StatusCode;
use endwell_core::{Bound, Exceeded, Instant, Limit};

use super::respond::Fallback;
use crate::Ended;
use crate::config::{OnGone, ServerConfig};
use crate::connection::{Connection, Link, State};

/// How long handlers, and peers that have ended their side, have.
pub(crate) struct LifeLimits {
    on_gone: OnGone,
    half_closed: Option<Duration>,
    grace: Duration,
    time: Option<Duration>,
}

/// What ends the handler that runs.
pub(crate) struct Life {
    on_gone: OnGone,
    /// When the handler is dropped.
    until: Option<Instant>,
    /// When the peer ended its side, or has last taken some of the answer since.
    half_closed: Option<Instant>,
    /// When the server began to stop.
    stopping: Option<Box<Instant>>,
    /// For another protocol.
    idle: Option<Box<Idle>>,
}

/// The time that another protocol may be silent, in both directions.
struct Idle {
    time: Duration,
    since: Instant,
}

impl LifeLimits {
    pub(crate) fn new(config: &ServerConfig) -> Self {
        Self {
            on_gone: config.on_gone,
            half_closed: config.half_closed,
            grace: config.handler_grace,
            time: config.handler_time,
        }
    }

    /// For a connection on which no handler runs.
    pub(crate) fn without_handler(half_closed: Option<Duration>) -> Self {
        Self { on_gone: OnGone::default(), half_closed, grace: Duration::ZERO, time: None }
    }
}

impl Default for Life {
    /// Without a handler: nothing ends an application that its driver runs.
    fn default() -> Self {
        Self { on_gone: OnGone::Finish, until: None, half_closed: None, stopping: None, idle: None }
    }
}

impl Life {
    /// A handler begins.
    pub(crate) fn begin(&mut self, limits: &LifeLimits, now: Instant) {
        self.on_gone = limits.on_gone;
        self.until = limits.time.map(|time| now.saturating_add(time));
    }

    /// No handler runs, or none whose time is bounded.
    pub(crate) fn unbind(&mut self) {
        self.until = None;
    }

    /// True once the peer has ended its side.
    pub(crate) fn is_half_closed(&self) -> bool {
        self.half_closed.is_some()
    }

    /// The peer ended its side at `now`.
    pub(crate) fn half_closed(&mut self, now: Instant) {
        self.half_closed.get_or_insert(now);
    }

    /// The peer has taken some of the output at `now`.
    pub(crate) fn took(&mut self, now: Instant) {
        if let Some(since) = &mut self.half_closed {
            *since = now;
        }
        self.heard(now);
    }

    /// Bytes have passed at `now`.
    pub(crate) fn heard(&mut self, now: Instant) {
        if let Some(idle) = &mut self.idle {
            idle.since = now;
        }
    }

    /// True if it counts when the peer takes output.
    #[inline]
    pub(crate) fn counts_output(&self) -> bool {
        self.half_closed.is_some() || self.idle.is_some()
    }
}

impl Connection {
    /// The stream has ended.
    pub(crate) fn notes_end_of_stream(&mut self, now: Instant) {
        self.life.half_closed(now);
        self.waiters.wake_watchers(&mut self.woken);
    }

    /// When a peer that has ended its side counts as gone. `None` while it has output to take, which has its own pace.
    pub(crate) fn gone_at(&mut self, limits: &LifeLimits) -> Option<Instant> {
        let (since, time) = (self.life.half_closed?, limits.half_closed?);
        // Between two requests the handler goes on that has answered the last.
        let is_between = matches!(self.state, State::Between(_));
        let is_open = is_between || self.state.has_body() || self.state.receives();
        (is_open && self.queued() == 0).then(|| since.saturating_add(time))
    }

    /// Ends the connection if its peer counts as gone. True if it did.
    pub(crate) fn judge_half_closed(&mut self, limits: &LifeLimits) -> bool {
        if self.gone_at(limits).is_none_or(|at| self.now < at) {
            return false;
        }
        if let State::Receiving(_) = self.state {
            // Our Close is written: it only waits for the application.
            self.close_now();
            return true;
        }
        let bound = Bound::Time(limits.half_closed.unwrap_or_default());
        let gone = Ended::limit(Exceeded { limit: Limit::HalfClosedTime, bound });
        let ended = self.truncated.take().map_or(gone, |ended| *ended);
        self.end(ended);
        true
    }

    /// When another protocol has been silent for too long.
    pub(crate) fn idle_at(&self) -> Option<Instant> {
        let (State::Raw(_), Some(idle)) = (&self.state, &self.life.idle) else { return None };
        Some(idle.since.saturating_add(idle.time))
    }

    /// Ends another protocol that is silent for too long. True if it did.
    pub(crate) fn judge_idle(&mut self) -> bool {
        if self.idle_at().is_none_or(|at| self.now < at) {
            return false;
        }
        let time = self.life.idle.as_ref().map(|idle| idle.time).unwrap_or_default();
        self.end(Ended::limit(Exceeded { limit: Limit::IdleTime, bound: Bound::Time(time) }));
        true
    }

    /// Sets the time that another protocol may be silent.
    pub(crate) fn set_idle_time(&mut self, time: Option<Duration>) {
        let since = self.clock();
        self.life.idle = time.map(|time| Box::new(Idle { time, since }));
        self.leave_to_driver();
    }

    /// The server stops.
    pub(crate) fn notes_stop(&mut self) {
        if self.life.stopping.is_none() {
            self.life.stopping = Some(Box::new(self.now));
            self.waiters.wake_watchers(&mut self.woken);
        }
    }

    /// When the connection is cut off, since the server stops.
    pub(crate) fn stopped_at(&self, link: &Link) -> Option<Instant> {
        let since = self.life.stopping.as_ref()?;
        Some(since.saturating_add(link.shared.stop_time()?))
    }

    /// Waits until the server stops, or the connection has ended. `key` is the slot of the waiting task.
    pub(crate) fn poll_stopping(&mut self, cx: &mut Context<'_>, key: &mut Option<usize>) -> Poll<()> {
        if self.life.stopping.is_some() || self.ended().is_some() {
            return Poll::Ready(());
        }
        let is_new = self.waiters.watch(key, cx, &mut self.woken);
        self.wait_for_driver(is_new);
        Poll::Pending
    }

    /// The connection has ended. The handler is polled once more, so that what it waits for can tell it.
    pub(crate) fn outlive(&mut self, limits: &LifeLimits) {
        let now = self.now;
        self.life.until = match self.life.on_gone {
            OnGone::Finish => self.life.until,
            OnGone::Cancel if self.state.is_exchange() => Some(now),
            OnGone::Cancel => Some(now.saturating_add(limits.grace)),
        };
    }

    /// True if the time of the handler is over, which still waits.
    pub(crate) fn is_life_over(&mut self, link: &Link) -> bool {
        if self.life.until.is_none_or(|until| self.now < until) {
            return false;
        }
        self.life.until = None;
        self.fallback = Some(Fallback::new(StatusCode::SERVICE_UNAVAILABLE, None).into());
        link.shared.counters.cancelled.add();
        true
    }

    /// The handler has returned, or was dropped.
    pub(crate) fn no_handler_runs(&mut self) {
        self.life.unbind();
    }

    /// When the handler is dropped.
    pub(crate) fn life_until(&self) -> Option<Instant> {
        self.life.until
    }

    /// Sets what becomes of the handler of exchange `number` when the connection has ended.
    pub(crate) fn set_on_gone(&mut self, number: u64, on_gone: OnGone) {
        if self.number == number {
            self.life.on_gone = on_gone;
        }
    }

    /// Sets the time that the handler of exchange `number` has from now on.
    pub(crate) fn set_handler_time(&mut self, number: u64, time: Option<Duration>) {
        if self.number == number {
            let now = self.clock();
            self.life.until = time.map(|time| now.saturating_add(time));
            self.leave_to_driver();
        }
    }

    /// Waits until the peer has ended its side, or the connection has ended. `key` is the slot of the waiting task.
    pub(crate) fn poll_half_closed(&mut self, cx: &mut Context<'_>, key: &mut Option<usize>) -> Poll<()> {
        if self.life.is_half_closed() || self.ended().is_some() {
            return Poll::Ready(());
        }
        let is_new = self.waiters.watch(key, cx, &mut self.woken);
        self.wait_for_driver(is_new);
        Poll::Pending
    }
}
