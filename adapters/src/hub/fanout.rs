//! What became of a message for many.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::observer::Observer;
use crate::ws::{Delivery, LateDelivery, Message, Outlet, WhenFull};

/// What became of a message that was sent through a [`Hub`](super::Hub). It counts each receiver exactly once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The receivers whose queue accepted the message.
    pub accepted: u64,
    /// The receivers whose queue accepted the message, and dropped older ones for it.
    pub lagged: u64,
    /// How many older messages were dropped by those.
    pub lost: u64,
    /// The receivers that had no room, for which the message was dropped.
    pub dropped: u64,
    /// The receivers that had no room, and are being closed.
    pub closed: u64,
    /// The receivers whose connection was already closing or had ended.
    pub ended: u64,
    /// What becomes of it on the bus. The counts are those of this node. `None` if the hub has no bus, or the message is for
    /// this node only.
    pub bus: Option<OnBus>,
}

/// What the bus does with a message: [`Receipt::bus`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnBus {
    /// The other nodes get it.
    Queued,
    /// There is no bus now. The other nodes get it after, if it is kept until then: 4,096 messages, 1 MiB, 60 s.
    Cut,
    /// For this one, the oldest of those that wait for the bus were dropped: more wait than are kept. The other nodes
    /// count them ([`HubEvent::Missed`](super::HubEvent::Missed)).
    Full,
    /// It is larger than 256 KiB, and stays on this node.
    TooLarge,
    /// This node has left the bus: the hub was drained, or its [`HubNode`](super::HubNode) dropped. The message stays on
    /// this node.
    Left,
}

impl Receipt {
    /// The receivers.
    pub fn receivers(&self) -> u64 {
        let Self { accepted, lagged, lost: _, dropped, closed, ended, bus: _ } = self;
        accepted + lagged + dropped + closed + ended
    }

    /// The receivers whose queue accepted the message.
    pub fn delivered(&self) -> u64 {
        self.accepted + self.lagged
    }

    pub(super) fn count(&mut self, delivery: &Delivery) {
        match delivery {
            Delivery::Accepted => self.accepted += 1,
            Delivery::Lagged(lost) => {
                self.lagged += 1;
                self.lost = self.lost.saturating_add(*lost);
            }
            Delivery::Dropped => self.dropped += 1,
            Delivery::Closed => self.closed += 1,
            Delivery::Ended(_) => self.ended += 1,
        }
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} have it", self.delivered(), self.receivers())?;
        let counts = [
            (self.lagged, "lag"),
            (self.dropped, "had no room"),
            (self.closed, "are being closed"),
            (self.ended, "had ended"),
        ];
        counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .try_for_each(|(count, what)| write!(f, ", {count} {what}"))?;
        match self.bus {
            None | Some(OnBus::Queued) => Ok(()),
            Some(OnBus::Cut) => f.write_str("; the other nodes are cut off"),
            Some(OnBus::Full) => f.write_str("; the other nodes miss older ones"),
            Some(OnBus::TooLarge) => f.write_str("; it is too large for the other nodes"),
            Some(OnBus::Left) => f.write_str("; this node has left the others"),
        }
    }
}

/// Waits for the receivers that had no room, and returns the [`Receipt`]: made by
/// [`Recipients::send`](super::Recipients::send).
#[must_use = "it waits for receivers without room, and returns what became of the message"]
pub struct Fanout {
    receipt: Receipt,
    waiting: Vec<LateDelivery>,
    observer: Observer,
}

impl Fanout {
    pub(super) fn new(observer: Observer) -> Self {
        Self { receipt: Receipt::default(), waiting: Vec::new(), observer }
    }

    pub(super) fn on_bus(&mut self, bus: Option<OnBus>) {
        self.receipt.bus = bus;
    }

    /// All receivers had their turn.
    pub(super) fn begun(&self) {
        self.observer.delivered(&self.receipt);
    }

    pub(super) fn deliver(&mut self, outlet: &Outlet, message: Message, when_full: WhenFull) {
        match outlet.try_deliver(message, when_full) {
            Ok(delivery) => self.receipt.count(&delivery),
            Err(waiting) => self.waiting.push(waiting),
        }
    }

    /// Returns the receipt, and waits no longer: the message is dropped for receivers that still have no room.
    pub fn now(mut self) -> Receipt {
        self.give_up();
        self.receipt
    }

    fn give_up(&mut self) {
        for late in std::mem::take(&mut self.waiting) {
            count_late(&late.now(), &mut self.receipt, self.observer);
        }
    }
}

/// Counts a receiver that had no room at first.
fn count_late(delivery: &Delivery, receipt: &mut Receipt, observer: Observer) {
    receipt.count(delivery);
    let mut late = Receipt::default();
    late.count(delivery);
    observer.delivered(&late);
}

impl Drop for Fanout {
    fn drop(&mut self) {
        self.give_up();
    }
}

impl Future for Fanout {
    type Output = Receipt;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Receipt> {
        let Self { receipt, waiting, observer } = self.get_mut();
        waiting.retain_mut(|late| {
            let Poll::Ready(delivery) = late.poll(cx) else { return true };
            count_late(&delivery, receipt, *observer);
            false
        });
        if waiting.is_empty() { Poll::Ready(*receipt) } else { Poll::Pending }
    }
}

impl fmt::Debug for Fanout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fanout")
            .field("receipt", &self.receipt)
            .field("waiting", &self.waiting.len())
            .finish_non_exhaustive()
    }
}
