//! The connections of the other nodes, as far as this one was told.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::super::key::NodeIndex;
use super::super::{ConnectionKey, Departure, HubEvent, OtherNode, Present};
use super::Registry;
use crate::Bytes;

/// The other nodes and their connections, with the users and the topics of those.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    nodes: BTreeMap<NodeIndex, OtherNode>,
    members: HashMap<ConnectionKey, Far>,
    pub(super) users: HashMap<Arc<str>, BTreeSet<ConnectionKey>>,
    pub(super) topics: HashMap<Arc<str>, BTreeSet<ConnectionKey>>,
}

/// A connection of another node.
#[derive(Debug, Default)]
struct Far {
    user: Option<Arc<str>>,
    meta: Option<Bytes>,
    topics: BTreeSet<Arc<str>>,
}

impl Elsewhere {
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// How many connections a user has there.
    pub(super) fn connections(&self, user: &str) -> usize {
        self.users.get(user).map_or(0, BTreeSet::len)
    }

    pub(super) fn presence(&self, user: &str) -> impl Iterator<Item = Present> {
        self.present(self.users.get(user))
    }

    pub(super) fn topic_presence(&self, topic: &str) -> impl Iterator<Item = Present> {
        self.present(self.topics.get(topic))
    }

    fn present(&self, keys: Option<&BTreeSet<ConnectionKey>>) -> impl Iterator<Item = Present> {
        keys.into_iter().flatten().filter_map(|key| Some(self.one(*key, self.members.get(key)?)))
    }

    /// All connections there, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = Present> {
        self.members.iter().map(|(key, far)| self.one(*key, far))
    }

    fn one(&self, key: ConnectionKey, far: &Far) -> Present {
        let node = self.nodes.get(&key.node).map(|node| Arc::clone(&node.name));
        Present { key, node, user: far.user.clone(), meta: far.meta.clone() }
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = &OtherNode> {
        self.nodes.values()
    }
}

/// How many of the names are in one map, and in the other too.
pub(super) fn in_both<A, B>(one: &HashMap<Arc<str>, A>, other: &HashMap<Arc<str>, B>) -> usize {
    if one.len() <= other.len() {
        one.keys().filter(|name| other.contains_key(*name)).count()
    } else {
        other.keys().filter(|name| one.contains_key(*name)).count()
    }
}

fn remove(from: &mut HashMap<Arc<str>, BTreeSet<ConnectionKey>>, name: &str, key: ConnectionKey) -> usize {
    let Some(keys) = from.get_mut(name) else { return 0 };
    keys.remove(&key);
    let left = keys.len();
    if left == 0 {
        from.remove(name);
    }
    left
}

/// What changes there. Nothing changes for a connection that is unknown.
#[cfg_attr(not(feature = "cluster"), expect(dead_code, reason = "a hub without other nodes is told of none"))]
impl<M: Clone> Registry<M> {
    pub(in crate::hub) fn node_up(&mut self, node: NodeIndex, name: Arc<str>) {
        let is_new = self
            .elsewhere
            .nodes
            .insert(node, OtherNode { name: Arc::clone(&name), connections: 0 })
            .is_none();
        if is_new {
            self.log.push(|| HubEvent::NodeUp { node: name });
        }
    }

    /// The connections of the node have left before.
    pub(in crate::hub) fn node_down(&mut self, node: NodeIndex, said_so: bool) {
        if let Some(OtherNode { name, .. }) = self.elsewhere.nodes.remove(&node) {
            self.log.push(|| HubEvent::NodeDown { node: name, said_so });
        }
    }

    /// The other nodes are not heard any more: all that is known of them is removed.
    pub(in crate::hub) fn forget_elsewhere(&mut self) {
        let keys: Vec<_> = self.elsewhere.members.keys().copied().collect();
        for key in keys {
            self.left_there(key);
        }
        let nodes: Vec<_> = self.elsewhere.nodes.keys().copied().collect();
        for node in nodes {
            self.node_down(node, false);
        }
    }

    pub(in crate::hub) fn joined_there(&mut self, key: ConnectionKey) {
        if self.elsewhere.members.insert(key, Far::default()).is_none() {
            if let Some(node) = self.elsewhere.nodes.get_mut(&key.node) {
                node.connections += 1;
            }
            self.log.push(|| HubEvent::Joined { key });
        }
    }

    pub(in crate::hub) fn logged_in_there(&mut self, key: ConnectionKey, user: Arc<str>) {
        let Some(far) = self.elsewhere.members.get_mut(&key) else { return };
        if far.user.as_ref() == Some(&user) {
            return;
        }
        let before = far.user.replace(Arc::clone(&user));
        self.elsewhere.users.entry(Arc::clone(&user)).or_default().insert(key);
        let connections = self.connections(&user);
        self.log.push(|| HubEvent::LoggedIn { key, user, connections });
        if let Some(before) = before {
            self.no_longer_there(key, before);
        }
    }

    pub(in crate::hub) fn logged_out_there(&mut self, key: ConnectionKey) {
        let user = self.elsewhere.members.get_mut(&key).and_then(|far| far.user.take());
        if let Some(user) = user {
            self.no_longer_there(key, user);
        }
    }

    fn no_longer_there(&mut self, key: ConnectionKey, user: Arc<str>) {
        remove(&mut self.elsewhere.users, &user, key);
        let connections = self.connections(&user);
        self.log.push(|| HubEvent::LoggedOut { key, user, connections });
    }

    pub(in crate::hub) fn meta_set_there(&mut self, key: ConnectionKey, meta: Bytes) {
        if let Some(far) = self.elsewhere.members.get_mut(&key) {
            far.meta = Some(meta.clone());
            self.log.push(|| HubEvent::MetaSet { key, meta });
        }
    }

    pub(in crate::hub) fn subscribed_there(&mut self, key: ConnectionKey, topic: Arc<str>) {
        let Some(far) = self.elsewhere.members.get_mut(&key) else { return };
        if far.topics.insert(Arc::clone(&topic)) {
            self.elsewhere.topics.entry(Arc::clone(&topic)).or_default().insert(key);
            if self.limits.topic_events {
                self.log.push(|| HubEvent::Subscribed { key, topic });
            }
        }
    }

    pub(in crate::hub) fn unsubscribed_there(&mut self, key: ConnectionKey, topic: Arc<str>) {
        let Some(far) = self.elsewhere.members.get_mut(&key) else { return };
        if far.topics.remove(&topic) {
            remove(&mut self.elsewhere.topics, &topic, key);
            self.tell_unsubscribed(key, Some(topic));
        }
    }

    pub(in crate::hub) fn left_there(&mut self, key: ConnectionKey) {
        let Some(far) = self.elsewhere.members.remove(&key) else { return };
        if let Some(node) = self.elsewhere.nodes.get_mut(&key.node) {
            node.connections -= 1;
        }
        for topic in far.topics {
            remove(&mut self.elsewhere.topics, &topic, key);
            self.tell_unsubscribed(key, Some(topic));
        }
        if let Some(user) = far.user {
            self.no_longer_there(key, user);
        }
        self.log.push(|| HubEvent::Left { key, departure: Departure::Elsewhere });
    }

    /// Something else that happened between the nodes.
    pub(in crate::hub) fn tell(&mut self, event: impl FnOnce() -> HubEvent) {
        self.log.push(event);
    }

    /// What people call a node, while it is here.
    pub(in crate::hub) fn node_name(&self, node: NodeIndex) -> Option<Arc<str>> {
        self.elsewhere.nodes.get(&node).map(|node| Arc::clone(&node.name))
    }

    /// Whose a connection of this node is.
    pub(in crate::hub) fn user_of(&self, key: ConnectionKey) -> Option<Arc<str>> {
        self.get(key)?.user.clone()
    }
}
