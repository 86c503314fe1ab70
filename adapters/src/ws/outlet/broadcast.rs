//! Sends one message to many connections.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::Outlet;
use super::deliver::{Deliver, Delivery, WhenFull};
use crate::ws::Message;

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
        let deliver = Deliver::new(outlet, message.clone(), when_full);
        deliveries.push(if deliver.waits() {
            waiting.push((deliveries.len(), deliver));
            // Until it is known.
            Delivery::Dropped
        } else {
            deliver.now()
        });
    }
    Broadcast { waiting, deliveries }
}

/// Waits for the receivers that had no room: [`broadcast`].
#[must_use = "it waits for those who have no room, and says what became of the message"]
pub struct Broadcast<'a> {
    waiting: Vec<(usize, Deliver<'a>)>,
    deliveries: Vec<Delivery>,
}

impl Future for Broadcast<'_> {
    type Output = Vec<Delivery>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Vec<Delivery>> {
        let Self { waiting, deliveries } = self.get_mut();
        waiting.retain_mut(|(index, deliver)| {
            let Poll::Ready(delivery) = Pin::new(deliver).poll(cx) else { return true };
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
