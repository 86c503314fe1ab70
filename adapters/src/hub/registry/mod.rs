//! The members, their users and their topics, as plain data: without I/O or time, and behind no lock of its own. A topic
//! only carries the lock that orders its messages.
//!
//! Connections have slots in a slab, and numbers that are never reused: a key whose number is not the one in its slot
//! names a connection that has left. A topic has slots and numbers of its own for its subscriptions. A subscription
//! keeps its slot, so a fan-out can go over them in steps, between which others come and go.

mod elsewhere;
mod few;
#[cfg(test)]
mod laws;
mod slot;
mod topic;
mod walk;

use std::collections::HashMap;
use std::sync::Arc;

use slab::Slab;

use super::events::EventLog;
use super::{
    ConnectionKey, Departure, HubConfig, HubCounts, HubEvent, Login, LoginError, MetaError, OtherNode,
    Present, SubscribeError,
};
use crate::Bytes;
use elsewhere::{Elsewhere, in_both};
use few::Few;
pub(super) use slot::Slot;
use slot::make_room;
use topic::{Place, Topics};
pub(super) use walk::Walk;

/// The members of a hub. `M` is what the hub keeps for each.
pub(super) struct Registry<M> {
    members: Slab<Entry<M>>,
    /// How many have joined.
    joined: u64,
    /// The slots of each user's connections.
    users: HashMap<Arc<str>, Few<Slot>>,
    /// What few connections have.
    metas: HashMap<Slot, Bytes>,
    topics: Topics,
    pub(super) log: EventLog,
    limits: Limits,
    elsewhere: Elsewhere,
}

struct Entry<M> {
    number: u64,
    member: M,
    user: Option<Arc<str>>,
    topics: Few<Place>,
}

struct Limits {
    topics_each: usize,
    name_bytes: usize,
    meta_bytes: usize,
    topic_events: bool,
}

impl<M: Clone> Registry<M> {
    pub(super) fn new(config: &HubConfig) -> Self {
        Self {
            members: Slab::new(),
            joined: 0,
            users: HashMap::new(),
            metas: HashMap::new(),
            topics: Topics::new(config.topics),
            log: EventLog::new(config.events),
            limits: Limits {
                topics_each: config.topics_each,
                name_bytes: config.name_bytes,
                meta_bytes: config.meta_bytes,
                topic_events: config.topic_events,
            },
            elsewhere: Elsewhere::default(),
        }
    }

    /// Adds a connection.
    pub(super) fn join(&mut self, make: impl FnOnce(ConnectionKey) -> M) -> M {
        self.joined += 1;
        make_room(&mut self.members);
        let place = self.members.vacant_entry();
        let key = ConnectionKey::here(self.joined, Slot::new(place.key()));
        let member = make(key);
        place.insert(Entry {
            number: key.number,
            member: member.clone(),
            user: None,
            topics: Few::default(),
        });
        self.log.push(|| HubEvent::Joined { key });
        member
    }

    /// Removes a connection with all that it has. `None` if it has left before.
    pub(super) fn leave(&mut self, key: ConnectionKey, departure: Departure) -> Option<M> {
        self.get(key)?;
        let entry = self.members.try_remove(key.slot.index())?;
        self.metas.remove(&key.slot);
        for place in entry.topics.as_slice() {
            let topic = self.topics.unsubscribe(*place);
            self.tell_unsubscribed(key, topic);
        }
        if let Some(user) = entry.user {
            self.log_out(key, user);
        }
        self.log.push(|| HubEvent::Left { key, departure });
        Some(entry.member)
    }

    /// Makes a connection one of a user's. Returns the connections that it replaces, which have left.
    pub(super) fn login(
        &mut self,
        key: ConnectionKey,
        user: &str,
        login: Login,
    ) -> Result<Vec<M>, LoginError> {
        let entry = self.get(key).ok_or(LoginError::Left)?;
        let at_most = self.limits.name_bytes;
        if user.len() > at_most {
            return Err(LoginError::NameTooLong { at_most });
        }
        let is_known = entry.user.as_deref() == Some(user);
        let (user, connections) = match self.users.get_key_value(user) {
            Some((name, connections)) => (Arc::clone(name), connections.as_slice()),
            None => (user.into(), &[][..]),
        };
        let mut replaced = Vec::new();
        match login {
            Login::Replace => {
                let others = connections.iter().copied().filter(|slot| *slot != key.slot);
                replaced.extend(others.filter_map(|slot| self.key_in(slot)));
            }
            Login::Beside { at_most } => {
                let others = connections.len() - usize::from(is_known) + self.elsewhere.connections(&user);
                if others >= at_most {
                    return Err(LoginError::TooMany { at_most });
                }
            }
        }
        if !is_known {
            self.log_in(key, user);
        }
        // Behind the new one, so that the user is here throughout.
        let departure = Departure::Replaced { by: key };
        Ok(replaced.into_iter().filter_map(|old| self.leave(old, departure)).collect())
    }

    fn log_in(&mut self, key: ConnectionKey, user: Arc<str>) {
        let connections = self.users.entry(Arc::clone(&user)).or_default();
        connections.push(key.slot);
        let connections = connections.as_slice().len() + self.elsewhere.connections(&user);
        self.log.push(|| HubEvent::LoggedIn { key, user: Arc::clone(&user), connections });
        if let Some(before) = self.get_mut(key).and_then(|entry| entry.user.replace(user)) {
            self.log_out(key, before);
        }
    }

    fn log_out(&mut self, key: ConnectionKey, user: Arc<str>) {
        let Some(left) = self.users.get_mut(&user) else { return };
        left.remove(|slot| *slot == key.slot);
        let left = left.as_slice().len();
        if left == 0 {
            self.users.remove(&user);
        }
        let connections = left + self.elsewhere.connections(&user);
        self.log.push(|| HubEvent::LoggedOut { key, user, connections });
    }

    /// Subscribes a connection to a topic. False if it was subscribed already.
    pub(super) fn subscribe(&mut self, key: ConnectionKey, topic: &str) -> Result<bool, SubscribeError> {
        let entry = self.get(key).ok_or(SubscribeError::Left)?;
        let at_most = self.limits.name_bytes;
        if topic.len() > at_most {
            return Err(SubscribeError::NameTooLong { at_most });
        }
        let known = self.topics.find(topic);
        let places = entry.topics.as_slice();
        if known.is_some_and(|known| places.iter().any(|place| place.topic == known)) {
            return Ok(false);
        }
        let at_most = self.limits.topics_each;
        if places.len() >= at_most {
            return Err(SubscribeError::TooMany { at_most });
        }
        let topic = known.map_or_else(|| self.topics.add(topic), Ok)?;
        if let Some(place) = self.topics.subscribe(topic, key.slot) {
            if let Some(entry) = self.get_mut(key) {
                entry.topics.push(place);
            }
        }
        if self.limits.topic_events {
            let Self { log, topics, .. } = self;
            if let Some(topic) = topics.name(topic) {
                log.push(|| HubEvent::Subscribed { key, topic: Arc::clone(topic) });
            }
        }
        Ok(true)
    }

    /// Ends a subscription. False if there was none.
    pub(super) fn unsubscribe(&mut self, key: ConnectionKey, topic: &str) -> bool {
        let Some(topic) = self.topics.find(topic) else { return false };
        let Some(entry) = self.get_mut(key) else { return false };
        let Some(place) = entry.topics.remove(|place| place.topic == topic) else { return false };
        let topic = self.topics.unsubscribe(place);
        self.tell_unsubscribed(key, topic);
        true
    }

    fn tell_unsubscribed(&mut self, key: ConnectionKey, topic: Option<Arc<str>>) {
        if let Some(topic) = topic.filter(|_| self.limits.topic_events) {
            self.log.push(|| HubEvent::Unsubscribed { key, topic });
        }
    }

    /// Sets the metadata of a connection.
    pub(super) fn set_meta(&mut self, key: ConnectionKey, meta: Bytes) -> Result<(), MetaError> {
        let at_most = self.limits.meta_bytes;
        self.get(key).ok_or(MetaError::Left)?;
        if meta.len() > at_most {
            return Err(MetaError::TooLong { at_most });
        }
        self.metas.insert(key.slot, meta.clone());
        self.log.push(|| HubEvent::MetaSet { key, meta });
        Ok(())
    }

    pub(super) fn counts(&self) -> HubCounts {
        let (there, topics) = (&self.elsewhere, self.topics.names());
        HubCounts {
            connections: self.members.len() + there.len(),
            users: self.users.len() + there.users.len() - in_both(&self.users, &there.users),
            topics: topics.len() + there.topics.len() - in_both(topics, &there.topics),
        }
    }

    /// What of them is on this node.
    pub(super) fn counts_here(&self) -> HubCounts {
        HubCounts {
            connections: self.members.len(),
            users: self.users.len(),
            topics: self.topics.names().len(),
        }
    }

    /// The connections that a user has, on all nodes.
    fn connections(&self, user: &str) -> usize {
        let here = self.users.get(user).map_or(0, |slots| slots.as_slice().len());
        here + self.elsewhere.connections(user)
    }

    /// The other nodes that are here.
    pub(super) fn nodes(&self) -> Vec<OtherNode> {
        self.elsewhere.nodes().cloned().collect()
    }

    /// The connections of the other nodes.
    pub(super) fn elsewhere(&self) -> Vec<Present> {
        self.elsewhere.all().collect()
    }

    /// True if this node has no connection.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The users with a connection, in no order.
    pub(super) fn users(&self) -> impl Iterator<Item = &Arc<str>> {
        let there = self.elsewhere.users.keys().filter(|user| !self.users.contains_key(*user));
        self.users.keys().chain(there)
    }

    pub(super) fn is_online(&self, user: &str) -> bool {
        self.users.contains_key(user) || self.elsewhere.users.contains_key(user)
    }

    /// The connections of a user.
    pub(super) fn presence(&self, user: &str) -> Vec<Present> {
        let slots = self.users.get(user).map_or(&[][..], Few::as_slice);
        let here = slots.iter().filter_map(|slot| self.present(*slot));
        here.chain(self.elsewhere.presence(user)).collect()
    }

    /// The subscribers of a topic.
    pub(super) fn topic_presence(&self, topic: &str) -> Vec<Present> {
        let here = self.topics.subscribers(topic).filter_map(|slot| self.present(slot));
        here.chain(self.elsewhere.topic_presence(topic)).collect()
    }

    /// The names of the topics of the connection in a slot.
    pub(super) fn topics_of(&self, slot: Slot) -> Vec<Arc<str>> {
        let places = self.members.get(slot.index()).map_or(&[][..], |entry| entry.topics.as_slice());
        places.iter().filter_map(|place| self.topics.name(place.topic).cloned()).collect()
    }

    /// What is known of the connection in a slot.
    pub(super) fn present(&self, slot: Slot) -> Option<Present> {
        let entry = self.members.get(slot.index())?;
        Some(Present {
            key: ConnectionKey::here(entry.number, slot),
            node: None,
            user: entry.user.clone(),
            meta: self.metas.get(&slot).cloned(),
        })
    }

    pub(super) fn member(&self, key: ConnectionKey) -> Option<&M> {
        self.get(key).map(|entry| &entry.member)
    }

    fn key_in(&self, slot: Slot) -> Option<ConnectionKey> {
        self.members.get(slot.index()).map(|entry| ConnectionKey::here(entry.number, slot))
    }

    fn get(&self, key: ConnectionKey) -> Option<&Entry<M>> {
        self.members.get(key.slot.index()).filter(|entry| entry.number == key.number)
    }

    fn get_mut(&mut self, key: ConnectionKey) -> Option<&mut Entry<M>> {
        self.members.get_mut(key.slot.index()).filter(|entry| entry.number == key.number)
    }
}
