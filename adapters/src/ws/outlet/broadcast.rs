//! Sends one message to many connections.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
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

/// The fate of a message.
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

impl Outlet {
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
                self.queue.count_lagged();
                Ok(Delivery::Dropped)
            }
        }
    }
}

/// Sends one message, encoded once, to many connections. For each receiver without room, its [`WhenFull`] applies. No
/// receiver delays another: they are waited for concurrently.
///
/// Returns the [`Delivery`] for each receiver, in order.
///
/// # Cancel safety
///
/// When this is *called*, the message is sent to all receivers with room. Dropping the future stops waiting for the
/// others.
///
/// ```no_run
/// # async fn f(outlets: Vec<endwell::ws::Outlet>) {
/// use endwell::ws::{Delivery, WhenFull, broadcast};
///
/// let receivers = outlets.iter().map(|outlet| (outlet, WhenFull::DropOldest));
/// for (index, delivery) in broadcast("news", receivers).await.iter().enumerate() {
///     if let Delivery::Lagged(dropped) = delivery {
///         println!("receiver {index} missed {dropped} messages");
///     }
/// }
/// # }
/// ```
pub fn broadcast<'a>(
    message: impl Into<Message>,
    receivers: impl IntoIterator<Item = (&'a Outlet, WhenFull)>,
) -> Broadcast<'a> {
    let message = message.into().shared();
    let mut waiting = Vec::new();
    let mut deliveries = Vec::new();
    for (outlet, when_full) in receivers {
        let delivery = outlet.deliver_now(message.clone(), when_full).unwrap_or_else(|message| {
            if let WhenFull::Wait(time) = when_full {
                waiting.push((deliveries.len(), outlet, SendTimeout::new(outlet, message, time)));
            }
            Delivery::Dropped
        });
        deliveries.push(delivery);
    }
    Broadcast { waiting, deliveries }
}

/// Waits for the receivers that had no room: [`broadcast`].
#[must_use = "it waits for those who have no room, and says what became of the message"]
pub struct Broadcast<'a> {
    waiting: Vec<(usize, &'a Outlet, SendTimeout<'a>)>,
    deliveries: Vec<Delivery>,
}

impl Future for Broadcast<'_> {
    type Output = Vec<Delivery>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Vec<Delivery>> {
        let Self { waiting, deliveries } = self.get_mut();
        waiting.retain_mut(|(index, outlet, send)| {
            let Poll::Ready(sent) = Pin::new(send).poll(cx) else { return true };
            let delivery = match sent {
                Ok(()) => Delivery::Accepted,
                Err(SendTimeoutError::Timeout(_)) => {
                    outlet.queue.count_lagged();
                    Delivery::Dropped
                }
                Err(SendTimeoutError::NotSent(NotSent { ended, .. })) => Delivery::Ended(ended),
            };
            if let Some(place) = deliveries.get_mut(*index) {
                *place = delivery;
            }
            false
        });
        if waiting.is_empty() { Poll::Ready(std::mem::take(deliveries)) } else { Poll::Pending }
    }
}

impl fmt::Debug for Broadcast<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broadcast").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}
