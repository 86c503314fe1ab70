//! What a hub asks of an outlet.

use std::task::{Context, Poll, Waker};

use super::Outlet;
use super::deliver::{Delivery, WhenFull};
use super::send::{Push, SendTimeoutError};
use crate::ws::{Message, NotSent};

/// The delivery of a message that waits for room, with an outlet of its own.
pub(crate) struct LateDelivery(Push<Outlet>);

impl LateDelivery {
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<Delivery> {
        self.0.poll(cx).map(|pushed| match pushed.map_err(SendTimeoutError::from) {
            Ok(()) => Delivery::Accepted,
            Err(SendTimeoutError::Timeout(_)) => self.0.outlet().dropped(),
            Err(SendTimeoutError::NotSent(NotSent { ended, .. })) => Delivery::Ended(ended),
        })
    }

    /// Waits no longer: the message is dropped.
    pub(crate) fn now(self) -> Delivery {
        self.0.outlet().dropped()
    }
}

impl Outlet {
    /// Delivers what needs no waiting.
    pub(crate) fn try_deliver(
        &self,
        message: Message,
        when_full: WhenFull,
    ) -> Result<Delivery, LateDelivery> {
        self.deliver_now(message, when_full).or_else(|message| match when_full {
            WhenFull::Wait(time) => Err(LateDelivery(Push::new(self.clone(), message, time))),
            WhenFull::DropNewest | WhenFull::DropOldest | WhenFull::Close => Ok(self.dropped()),
        })
    }

    /// Wakes `waker` at the end of the connection. Returns its slot; `None` if the connection has ended.
    pub(crate) fn watch(&self, waker: Waker) -> Option<usize> {
        self.queue.watch(waker)
    }

    /// Frees the slot of a waker.
    pub(crate) fn unwatch(&self, key: usize) {
        self.queue.unwatch(key);
    }

    /// The messages that wait, and their bytes.
    pub(crate) fn queued(&self) -> (usize, usize) {
        self.queue.queued()
    }

    /// How long the peer has sent nothing. `None` if the connection is at work at this moment, or has ended.
    pub(crate) fn silent_for(&self) -> Option<std::time::Duration> {
        self.queue.silent_for()
    }

    /// Ends the connection at once. Messages that wait are no longer sent.
    pub(crate) fn cut_off(&self) {
        self.queue.cut_off();
    }
}
