//! One message to many connections.

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

/// What to do with a receiver that has no room for a further message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// Wait for room, so long at the most; then the message is dropped for this receiver.
    Wait(Duration),
    /// Drop the message for this receiver.
    DropNewest,
    /// Drop the oldest messages that were sent like this, until there is room. Others are never dropped.
    DropOldest,
    /// Close the connection with 1013 (try again later). What it had accepted is not sent any more.
    Close,
}

/// What became of a message.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// It was accepted.
    Accepted,
    /// It was accepted, and so many older ones were dropped for it.
    Lagged(u64),
    /// It was dropped for want of room.
    Dropped,
    /// There was no room, and the connection is being closed for that.
    Closed,
    /// The connection is closing or has ended before. `None`: it is closing.
    Ended(Option<Ended>),
}

impl Outlet {
    /// What can be done without waiting. The message comes back if only waiting is left.
    pub(super) fn deliver_now(&self, message: Message, when_full: WhenFull) -> Result<Delivery, Message> {
        let refused = match when_full {
            WhenFull::DropOldest => match self.queue.push_over(message) {
                (0, Ok(())) => return Ok(Delivery::Accepted),
                (dropped, Ok(())) => return Ok(Delivery::Lagged(dropped)),
                // It counts among the dropped already.
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
                // Should somebody else have closed it meanwhile, it comes to the same.
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

/// Sends one message, encoded once, to many connections, and does for each that has no room what its [`WhenFull`] says. Nobody waits for
/// another: those who wait do so side by side.
///
/// Ready: what became of it for each receiver, in their order.
///
/// # Cancel safety
///
/// The message is sent when this is *called*, to all who have room. A future that is dropped gives up waiting for the
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
