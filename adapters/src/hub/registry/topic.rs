//! The topics, and the subscribers of each.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::Arc;

use slab::Slab;

use super::slot::{Slot, make_room};
use crate::hub::SubscribeError;
use crate::sync::Lock;

/// The topics that have a subscriber.
pub(super) struct Topics {
    slots: Slab<Topic>,
    names: HashMap<Arc<str>, Slot>,
    at_most: usize,
    /// How many there have been.
    made: u64,
}

/// A subscription's topic, and its slot there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) topic: Slot,
    slot: Slot,
}

pub(super) struct Topic {
    name: Arc<str>,
    pub(super) number: u64,
    pub(super) subscriptions: Slab<Subscription>,
    /// How many there have been.
    pub(super) made: u64,
    pub(super) order: Order,
}

/// What is held during a fan-out, so that all receivers see one order.
pub(in crate::hub) type Order = Arc<Lock<()>>;

/// A subscription, with its number in the topic.
pub(super) struct Subscription {
    /// Not zero, so that a vacant slot needs no more room.
    pub(super) number: NonZeroU64,
    pub(super) member: Slot,
}

impl Topics {
    pub(super) fn new(at_most: usize) -> Self {
        Self { slots: Slab::new(), names: HashMap::new(), at_most, made: 0 }
    }

    pub(super) fn names(&self) -> &HashMap<Arc<str>, Slot> {
        &self.names
    }

    pub(super) fn find(&self, name: &str) -> Option<Slot> {
        self.names.get(name).copied()
    }

    pub(super) fn get(&self, topic: Slot) -> Option<&Topic> {
        self.slots.get(topic.index())
    }

    pub(super) fn name(&self, topic: Slot) -> Option<&Arc<str>> {
        self.get(topic).map(|topic| &topic.name)
    }

    /// Adds a topic, which must get a subscriber.
    pub(super) fn add(&mut self, name: &str) -> Result<Slot, SubscribeError> {
        let at_most = self.at_most;
        if self.slots.len() >= at_most {
            return Err(SubscribeError::HubFull { at_most });
        }
        self.made += 1;
        let name: Arc<str> = name.into();
        let topic = Topic {
            name: Arc::clone(&name),
            number: self.made,
            subscriptions: Slab::new(),
            made: 0,
            order: Arc::new(Lock::new(())),
        };
        make_room(&mut self.slots);
        let topic = Slot::new(self.slots.insert(topic));
        self.names.insert(name, topic);
        Ok(topic)
    }

    /// Adds a subscriber.
    pub(super) fn subscribe(&mut self, topic: Slot, member: Slot) -> Option<Place> {
        let Topic { subscriptions, made, .. } = self.slots.get_mut(topic.index())?;
        *made += 1;
        make_room(subscriptions);
        let slot = subscriptions.insert(Subscription { number: NonZeroU64::new(*made)?, member });
        Some(Place { topic, slot: Slot::new(slot) })
    }

    /// Removes a subscriber, and the topic behind the last one. Returns its name.
    pub(super) fn unsubscribe(&mut self, place: Place) -> Option<Arc<str>> {
        let topic = self.slots.get_mut(place.topic.index())?;
        topic.subscriptions.try_remove(place.slot.index())?;
        if !topic.subscriptions.is_empty() {
            return Some(Arc::clone(&topic.name));
        }
        let topic = self.slots.try_remove(place.topic.index())?;
        self.names.remove(&topic.name);
        Some(topic.name)
    }

    /// The members that are subscribed to a topic.
    pub(super) fn subscribers(&self, name: &str) -> impl Iterator<Item = Slot> {
        let topic = self.find(name).and_then(|topic| self.get(topic));
        topic.into_iter().flat_map(|topic| topic.subscriptions.iter().map(|(_, found)| found.member))
    }
}

#[cfg(test)]
mod tests {
    use super::Subscription;

    #[test]
    fn a_vacant_slot_needs_no_more_room() {
        assert_eq!(size_of::<Option<Subscription>>(), 16);
    }
}
