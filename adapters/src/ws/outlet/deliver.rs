//! Sends a message, or does what is set for a receiver that has no room.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use endwell_core::ws::CloseCode;

use super::Outlet;
use super::queue::Refused;
use super::send::{SendTimeout, SendTimeoutError};
use crate::Ended;
use crate::ws::{Message, NotSent};

/// What to do with a receiver that has no room for another message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// Wait for room, at most this long; then drop the message for this receiver.
    Wait(Duration),
    /// Drop the message for this receiver.
    DropNewest,
    /// Drop the oldest messages that were sent with this setting, until there is room. Others are never dropped.
    DropOldest,
    /// Close the connection with 1013 (try again later). The messages that it had accepted are no longer sent.
    Close,
}

/// What became of a message that was to be delivered.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// The message was accepted.
    Accepted,
    /// The message was accepted, and this many older ones were dropped for it.
    Lagged(u64),
    /// The message was dropped for lack of room.
    Dropped,
    /// There was no room, so the connection is being closed.
    Closed,
    /// The connection was already closing (`None`) or had ended.
    Ended(Option<Ended>),
}

/// The delivery of a message: made by [`Outlet::deliver`]. Await it, or take what became of it [`now`](Self::now).
#[must_use = "it waits for room, and says what became of the message"]
pub struct Deliver<'a>(State<'a>);

enum State<'a> {
    Done(Delivery),
    /// There is no room, and it is waited for.
    Waiting {
        outlet: &'a Outlet,
        send: SendTimeout<'a>,
    },
}

impl<'a> Deliver<'a> {
    /// Does what can be done without waiting.
    pub(super) fn new(outlet: &'a Outlet, message: Message, when_full: WhenFull) -> Self {
        Self(match (outlet.deliver_now(message, when_full), when_full) {
            (Err(message), WhenFull::Wait(time)) => {
                State::Waiting { outlet, send: SendTimeout::new(outlet, message, time) }
            }
            (Ok(delivery), _) => State::Done(delivery),
            (Err(_), _) => State::Done(outlet.dropped()),
        })
    }

    /// True if the receiver has no room so far.
    pub(super) fn waits(&self) -> bool {
        matches!(self.0, State::Waiting { .. })
    }

    /// Returns what became of the message, and waits no longer: with [`WhenFull::Wait`], a message for which there is no
    /// room is dropped. For code that cannot wait.
    pub fn now(self) -> Delivery {
        match self.0 {
            State::Done(delivery) => delivery,
            State::Waiting { outlet, .. } => outlet.dropped(),
        }
    }
}

impl Future for Deliver<'_> {
    type Output = Delivery;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Delivery> {
        let Self(state) = self.get_mut();
        if let State::Waiting { outlet, send } = state {
            let delivery = match ready!(Pin::new(send).poll(cx)) {
                Ok(()) => Delivery::Accepted,
                Err(SendTimeoutError::Timeout(_)) => outlet.dropped(),
                Err(SendTimeoutError::NotSent(NotSent { ended, .. })) => Delivery::Ended(ended),
            };
            *state = State::Done(delivery);
        }
        match mem::replace(state, State::Done(Delivery::Dropped)) {
            State::Done(delivery) => Poll::Ready(delivery),
            State::Waiting { .. } => Poll::Pending,
        }
    }
}

impl Outlet {
    /// Counts a message for which there was no room.
    pub(super) fn dropped(&self) -> Delivery {
        self.queue.count_lagged();
        Delivery::Dropped
    }

    /// Does what can be done without waiting. Returns the message if only waiting is left.
    pub(super) fn deliver_now(&self, message: Message, when_full: WhenFull) -> Result<Delivery, Message> {
        let refused = match when_full {
            WhenFull::DropOldest => match self.queue.push_over(message) {
                (0, Ok(())) => return Ok(Delivery::Accepted),
                (dropped, Ok(())) => return Ok(Delivery::Lagged(dropped)),
                // It is already counted as dropped.
                (_, Err(Refused::Full(_) | Refused::Late(_))) => return Ok(Delivery::Dropped),
                (_, Err(over)) => over,
            },
            WhenFull::Wait(_) | WhenFull::DropNewest | WhenFull::Close => {
                match self.queue.try_push(message) {
                    Ok(()) => return Ok(Delivery::Accepted),
                    Err(refused) => refused,
                }
            }
        };
        match (refused, when_full) {
            (Refused::Over(_, ended), _) => Ok(Delivery::Ended(ended)),
            (Refused::Full(_) | Refused::Late(_), WhenFull::Close) => {
                // If another task has closed it meanwhile, the result is the same.
                self.queue.close_now(CloseCode::TRY_AGAIN_LATER.into());
                Ok(Delivery::Closed)
            }
            (Refused::Full(message) | Refused::Late(message), WhenFull::Wait(_)) => Err(message),
            (Refused::Full(_) | Refused::Late(_), WhenFull::DropNewest | WhenFull::DropOldest) => {
                Ok(self.dropped())
            }
        }
    }
}

impl fmt::Debug for Deliver<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliver").field("waits", &self.waits()).finish_non_exhaustive()
    }
}
