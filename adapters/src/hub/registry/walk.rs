//! Goes over receivers in steps, between which others join and leave.

use super::topic::Order;
use super::{Few, Registry, Slot};
use crate::hub::ConnectionKey;

/// A position among receivers. It meets each that was there when it began and still is when it comes by exactly once,
/// and none that came later.
#[derive(Debug)]
pub(in crate::hub) enum Walk {
    Topic {
        topic: Slot,
        number: u64,
        /// The last subscription when it began.
        last: u64,
        slot: usize,
    },
    Everyone {
        /// The last connection when it began.
        last: u64,
        slot: usize,
    },
    /// A few, all in the first step.
    These(Vec<Slot>),
}

/// The most slots that a step looks at for each receiver that it may find: the others may be vacant.
const SLOTS: usize = 16;

impl<M: Clone> Registry<M> {
    /// Finds a topic, and what orders its messages. The walk begins with [`begin`](Self::begin).
    pub(in crate::hub) fn topic(&self, name: &str) -> Option<(Walk, Order)> {
        let topic = self.topics.find(name)?;
        let found = self.topics.get(topic)?;
        Some((Walk::Topic { topic, number: found.number, last: 0, slot: 0 }, found.order.clone()))
    }

    /// Begins a walk: it meets those that are there now.
    pub(in crate::hub) fn begin(&self, walk: &mut Walk) {
        match walk {
            Walk::Topic { topic, number, last, .. } => {
                let found = self.topics.get(*topic).filter(|found| found.number == *number);
                *last = found.map_or(0, |found| found.made);
            }
            Walk::Everyone { .. } | Walk::These(_) => {}
        }
    }

    /// Begins to go over all connections.
    pub(in crate::hub) fn everyone(&self) -> Walk {
        Walk::Everyone { last: self.joined, slot: 0 }
    }

    /// Goes over the connections of a user, in one step that follows at once.
    pub(in crate::hub) fn user(&self, user: &str) -> Walk {
        Walk::These(self.users.get(user).map_or(&[][..], Few::as_slice).to_vec())
    }

    /// Adds the next receivers to `found`, up to `most`, without those in `except`. False once there are no more.
    pub(in crate::hub) fn step(
        &self,
        walk: &mut Walk,
        most: usize,
        except: &[ConnectionKey],
        found: &mut Vec<M>,
    ) -> bool {
        let mut add = |slot: Slot, last: u64| {
            let Some(entry) = self.members.get(slot.index()).filter(|entry| entry.number <= last) else {
                return;
            };
            if !except.iter().any(|key| key.number == entry.number) {
                found.push(entry.member.clone());
            }
        };
        match walk {
            Walk::Topic { topic, number, last, slot } => {
                let Some(topic) = self.topics.get(*topic).filter(|found| found.number == *number) else {
                    return false;
                };
                let end = topic.subscriptions.capacity();
                let (mut left, pause) = (most, slot.saturating_add(most.saturating_mul(SLOTS)));
                while left > 0 && *slot < end.min(pause) {
                    let subscription = topic.subscriptions.get(*slot);
                    if let Some(found) = subscription.filter(|found| found.number.get() <= *last) {
                        add(found.member, u64::MAX);
                        left -= 1;
                    }
                    *slot += 1;
                }
                *slot < end
            }
            Walk::Everyone { last, slot } => {
                let end = self.members.capacity();
                let pause = slot.saturating_add(most);
                while *slot < end.min(pause) {
                    add(Slot::new(*slot), *last);
                    *slot += 1;
                }
                *slot < end
            }
            Walk::These(slots) => {
                for slot in slots.drain(..) {
                    add(slot, u64::MAX);
                }
                false
            }
        }
    }
}
