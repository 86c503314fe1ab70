//! Waits for the peer, and for no longer than the limits allow.

use alloc::sync::Arc;

use super::engine::{Engine, Look, State};
use super::keep_alive::Silence;
use crate::ws::failure::Cause;
use crate::{Deadline, Inbox, Instant, Limit, Pace};

impl Engine {
    /// Waits, since nothing more can be parsed without more bytes.
    pub(super) fn wait(&mut self, inbox: &mut Inbox) -> Result<Look, Cause> {
        if inbox.has_ended() {
            return Err(Cause::EndOfStream);
        }
        let (Some(now), Some(silent_since)) = (inbox.dry_at(), inbox.silent_since()) else {
            return Ok(Look::Nothing);
        };
        if let (State::Idle, false) = (&self.state, inbox.is_empty()) {
            self.state = State::Begun;
        }
        if let State::Begun | State::Message(_) = &self.state {
            self.clock.check(now, &self.limits.message_pace, Limit::MessageProgress)?;
        }
        match self.keep_alive.poll(now, silent_since, &self.limits) {
            Silence::Fine => Ok(Look::Nothing),
            Silence::PingDue => Ok(Look::PingDue(now)),
            Silence::TooLong(exceeded) => Err(exceeded.into()),
        }
    }

    /// When to poll again even if nothing arrives: read first.
    pub(in crate::ws) fn deadline(&self) -> Option<Deadline> {
        if self.is_over() {
            return None;
        }
        let message = self.clock.deadline(&self.limits.message_pace, Limit::MessageProgress);
        Deadline::earlier(message, self.keep_alive.deadline(&self.limits))
    }

    /// Notes that the caller does not wait for the peer at `now`: time that the application takes does not count
    /// against the peer. The next poll that finds nothing resumes the count.
    pub(in crate::ws) fn pause(&mut self, inbox: &mut Inbox, now: Instant) {
        self.clock.pause(now);
        inbox.forget_look();
    }

    /// Sets the pace of messages on this socket, instead of [`SocketLimits::message_pace`], for example if its messages come
    /// in pieces over hours.
    pub(in crate::ws) fn set_message_pace(&mut self, pace: Pace) {
        Arc::make_mut(&mut self.limits).message_pace = pace;
    }

    /// Sends no keep-alive pings any more, since our Close is written.
    pub(in crate::ws) fn stop_pinging(&mut self) {
        Arc::make_mut(&mut self.limits).ping_interval = None;
    }
}
