//! The logins of all nodes: the highest claim to a user wins.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::super::ConnectionKey;
use super::id::NodeId;
use super::presence::UserLogin;

/// The order of logins: the Lamport time, then the node.
type Stamp = (u64, NodeId);

/// A Lamport clock, and the logins of this node.
///
/// A login that replaces says so with its time, as one of the changes of its node. On every other node, the connections
/// of that user with an earlier time are closed. A lost claim is told by the next snapshot, so nodes that were apart agree
/// once they are together.
#[derive(Debug)]
pub(super) struct Claims {
    node: NodeId,
    clock: u64,
    /// The connections of this node by user, with the time of their login.
    here: HashMap<Arc<str>, BTreeMap<ConnectionKey, u64>>,
}

impl Claims {
    pub(super) fn new(node: NodeId) -> Self {
        Self { node, clock: 0, here: HashMap::new() }
    }

    pub(super) fn clock(&self) -> u64 {
        self.clock
    }

    /// Another node's clock was seen.
    pub(super) fn saw(&mut self, clock: u64) {
        self.clock = self.clock.max(clock);
    }

    /// A connection of this node logs in. Its login is later than all that this node has seen.
    pub(super) fn login(&mut self, key: ConnectionKey, user: Arc<str>, replaces: bool) -> UserLogin {
        self.clock = self.clock.saturating_add(1);
        self.here.entry(Arc::clone(&user)).or_default().insert(key, self.clock);
        UserLogin { user, at: self.clock, replaces }
    }

    /// A connection of this node is no longer a user's.
    pub(super) fn logout(&mut self, key: ConnectionKey, user: &str) {
        let Some(keys) = self.here.get_mut(user) else { return };
        keys.remove(&key);
        if keys.is_empty() {
            self.here.remove(user);
        }
    }

    /// A login on another node. Returns the connections of this node that it replaces, once each.
    pub(super) fn other(&mut self, node: NodeId, login: &UserLogin) -> Vec<ConnectionKey> {
        self.saw(login.at);
        let mine = self.here.get_mut(&login.user).filter(|_| login.replaces);
        let Some(mine) = mine else { return Vec::new() };
        let claim: Stamp = (login.at, node);
        let earlier = mine.iter().filter(|(_, at)| (**at, self.node) < claim).map(|(key, _)| *key);
        let replaced: Vec<_> = earlier.collect();
        for key in &replaced {
            self.logout(*key, &login.user);
        }
        replaced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: [NodeId; 2] = [NodeId::new(1), NodeId::new(2)];

    fn key(number: u64) -> ConnectionKey {
        ConnectionKey::here(number, crate::hub::registry::Slot::new(0))
    }

    #[test]
    fn of_two_claims_at_the_same_time_one_wins_on_both_nodes() {
        let mut nodes = NODES.map(Claims::new);
        let [first, second] = nodes.each_mut().map(|claims| claims.login(key(1), "alice".into(), true));
        assert_eq!(first.at, second.at);
        assert_eq!(nodes[0].other(NODES[1], &second), [key(1)]);
        assert_eq!(nodes[0].other(NODES[1], &second), []);
        assert_eq!(nodes[1].other(NODES[0], &first), []);
        let third = nodes[0].login(key(2), "alice".into(), true);
        assert_eq!(nodes[0].other(NODES[1], &second), [], "it is later");
        assert_eq!(nodes[1].other(NODES[0], &third), [key(1)]);
    }

    #[test]
    fn a_login_beside_replaces_none_and_is_replaced_only_by_a_later_one() {
        let mut nodes = NODES.map(Claims::new);
        let claim = nodes[0].login(key(1), "alice".into(), true);
        assert_eq!(nodes[1].other(NODES[0], &claim), []);
        let beside = nodes[1].login(key(2), "alice".into(), false);
        assert_eq!(nodes[0].other(NODES[1], &beside), []);
        assert_eq!(nodes[1].other(NODES[0], &claim), []);
        let claim = nodes[0].login(key(3), "alice".into(), true);
        let bob = nodes[1].login(key(4), "bob".into(), true);
        assert_eq!(nodes[1].other(NODES[0], &claim), [key(2)]);
        nodes[1].logout(key(4), &bob.user);
        assert!(nodes[1].here.is_empty());
    }
}
