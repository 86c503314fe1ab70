//! The machine of a node: time and what arrives in, effects out.

mod flush;
mod link;
mod peer;
mod receive;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::{ConnectionKey, OnBus};
use super::bounds::{DEAD_AFTER, KEPT_FOR, MESSAGE_BYTES, NODES, QUIET};
use super::claims::Claims;
use super::control::Control;
use super::effect::{Down, Effect};
use super::header::{Header, MessageKind, Policy};
use super::history::{History, Replay, ResumeToken};
use super::id::NodeId;
use super::inbound::{Applied, Incoming};
#[cfg(test)]
use super::presence::Members;
use super::presence::{Change, Own};
use super::ring::{Ring, Sent};
use super::subject::Subject;
use crate::Bytes;
use flush::{Outgoing, SnapshotFor};
use link::Link;
use peer::{Peer, PeerState};

/// A node of a cluster. It reads no clock, does no I/O, and waits for nothing: it is told the time and what happened, and
/// says what follows.
///
/// After each call, take the effects ([`next_effect`](Self::next_effect)), give the bus what it takes
/// ([`flush`](Self::flush)), and call [`tick`](Self::tick) at the [`deadline`](Self::deadline).
#[derive(Debug)]
pub(in crate::hub) struct Node {
    id: NodeId,
    name: Arc<str>,
    link: Link,
    ring: Ring,
    /// The number of the last message that the bus had taken before this connection. It may be lost.
    in_doubt: u64,
    history: History,
    own: Own,
    claims: Claims,
    peers: BTreeMap<NodeId, Peer>,
    effects: VecDeque<Effect>,
    /// Small control messages to single nodes.
    asks: VecDeque<Outgoing>,
    /// Changes of members.
    changes: VecDeque<Bytes>,
    snapshots: VecDeque<SnapshotFor>,
    lease_at: Instant,
    beat: u64,
    leaving: Leaving,
    /// Where applied messages are put for a moment.
    applied: Vec<Applied>,
}

/// Whether the node has said that it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    No,
    /// The last lease is to go out.
    Due,
    Said,
}

impl Node {
    /// A node that has just started, without a bus.
    pub(in crate::hub) fn new(id: NodeId, name: &str, now: Instant) -> Self {
        let mut history = History::default();
        history.begin(id, 0);
        Self {
            id,
            name: name.into(),
            link: Link::new(now),
            ring: Ring::new(),
            in_doubt: 0,
            history,
            own: Own::new(id),
            claims: Claims::new(id),
            peers: BTreeMap::new(),
            effects: VecDeque::new(),
            asks: VecDeque::new(),
            changes: VecDeque::new(),
            snapshots: VecDeque::new(),
            lease_at: now,
            beat: 0,
            leaving: Leaving::No,
            applied: Vec::new(),
        }
    }

    pub(in crate::hub) fn id(&self) -> NodeId {
        self.id
    }

    // What happens on this node.

    /// A connection joined.
    pub(in crate::hub) fn join(&mut self, key: ConnectionKey, now: Instant) {
        self.own.change(key, Change::Joined, now);
    }

    /// A connection is a user's from now on. If it `replaces`, all earlier ones of that user on other nodes are closed.
    pub(in crate::hub) fn login(&mut self, key: ConnectionKey, user: Arc<str>, replaces: bool, now: Instant) {
        self.forget_login(key);
        let login = self.claims.login(key, user, replaces);
        self.own.change(key, Change::LoggedIn(login), now);
    }

    /// Whose a connection of this node is.
    pub(in crate::hub) fn user_of(&self, key: ConnectionKey) -> Option<&str> {
        Some(&*self.own.members().get(&key)?.login.as_ref()?.user)
    }

    /// Something else about a connection changed.
    pub(in crate::hub) fn change(&mut self, key: ConnectionKey, change: Change, now: Instant) {
        if matches!(change, Change::Left | Change::LoggedOut) {
            self.forget_login(key);
        }
        self.own.change(key, change, now);
    }

    fn forget_login(&mut self, key: ConnectionKey) {
        if let Some(login) = self.own.members().get(&key).and_then(|known| known.login.as_ref()) {
            self.claims.logout(key, &login.user);
        }
    }

    /// Sends a message to the other nodes. The caller hands it to its own members.
    pub(in crate::hub) fn send(&mut self, message: Incoming, now: Instant) -> OnBus {
        if message.payload.len() > MESSAGE_BYTES {
            return OnBus::TooLarge;
        }
        let Incoming { to, kind, payload, policy } = message.clone();
        let seq = self.ring.last() + 1;
        let header = Header { node: self.id, seq, kind, policy };
        let sent = Sent::new(Subject::Message(to).to_string(), header.to_string(), payload, now);
        self.history.push(self.id, seq, message, now);
        if self.ring.push(sent, now) > 0 {
            OnBus::Full
        } else if self.link.is_cut() {
            OnBus::Cut
        } else {
            OnBus::Queued
        }
    }

    /// The program ends: the others are told by the next [`flush`](Self::flush).
    pub(in crate::hub) fn leave(&mut self) {
        if self.leaving == Leaving::No {
            self.leaving = Leaving::Due;
        }
    }

    // What happens to the bus.

    /// The last lease has gone, or there is no bus that would carry it.
    pub(in crate::hub) fn has_left(&self) -> bool {
        self.leaving == Leaving::Said || !self.link.is_up()
    }

    /// There is a connection to the bus, with a subscription to everything below `m.` and `c.`.
    pub(in crate::hub) fn connected(&mut self, now: Instant) {
        self.clear_outgoing();
        self.in_doubt = self.ring.published();
        self.link.connected(now);
    }

    /// The connection has gone.
    pub(in crate::hub) fn cut(&mut self, now: Instant) {
        self.clear_outgoing();
        if let Some(since) = self.link.cut(now) {
            self.effects.push_back(Effect::Stale { since });
        }
    }

    /// Whatever is lost of these is asked for again.
    fn clear_outgoing(&mut self) {
        self.asks.clear();
        self.changes.clear();
        self.snapshots.clear();
        self.own.forget_snapshot();
    }

    // Time.

    /// Lets time pass.
    pub(in crate::hub) fn tick(&mut self, now: Instant) {
        if let Some(since) = self.link.tick(now) {
            self.effects.push_back(Effect::Stale { since });
        }
        if self.own.deadline().is_some_and(|at| at <= now) {
            self.tell_changes();
        }
        if let Some(since) = self.link.hears_since() {
            let is_watched =
                |peer: &Peer| peer.state == PeerState::Alive || peer.inbound.deadline().is_some();
            let nodes = self.peers.iter().filter(|(_, peer)| is_watched(peer)).map(|(node, _)| *node);
            for node in nodes.collect::<Vec<_>>() {
                self.tick_peer(node, since, now);
            }
        }
        self.settle(now);
    }

    /// When [`tick`](Self::tick) is due.
    pub(in crate::hub) fn deadline(&self) -> Option<Instant> {
        let mut first: Option<Instant> = None;
        let mut at = |due: Option<Instant>| {
            let earlier = due.filter(|due| first.is_none_or(|first| *due < first));
            first = earlier.or(first);
        };
        at(self.link.deadline());
        at(self.own.deadline());
        at(self.link.is_up().then_some(self.lease_at));
        let Some(hears_since) = self.link.hears_since() else { return first };
        for peer in self.peers.values() {
            let is_alive = peer.state == PeerState::Alive;
            let gap = peer.inbound.deadline();
            if is_alive || gap.is_some() {
                at(Some(peer.heard.max(hears_since) + DEAD_AFTER));
                at(gap);
                at(peer.roster.deadline().filter(|_| is_alive));
            }
        }
        first
    }

    fn tick_peer(&mut self, node: NodeId, hears_since: Instant, now: Instant) {
        let Some(peer) = self.peers.get_mut(&node) else { return };
        let silent = now.saturating_duration_since(peer.heard.max(hears_since));
        if silent >= DEAD_AFTER {
            let state = if peer.state == PeerState::Ended { peer.state } else { PeerState::Dead };
            self.down(node, state, now);
            return;
        }
        let is_near = now.saturating_duration_since(peer.heard) < QUIET;
        let missing = peer.inbound.tick(now, is_near, &mut self.applied);
        let asks_members = peer.state == PeerState::Alive && peer.roster.tick(now);
        self.apply(node, now);
        if let Some(missing) = missing {
            self.ask(node, &Control::AskMessages { from: missing.from, to: missing.to });
        }
        if asks_members {
            self.ask(node, &Control::AskMembers {});
        }
    }

    /// Another node has gone.
    fn down(&mut self, node: NodeId, state: PeerState, now: Instant) {
        let Some(peer) = self.peers.get_mut(&node) else { return };
        peer.inbound.abandon(now, &mut self.applied);
        let was = std::mem::replace(&mut peer.state, state);
        let mut changes = Vec::new();
        peer.roster.clear(&mut changes);
        self.apply(node, now);
        self.changed(node, changes);
        if was == PeerState::Alive {
            let why = if state == PeerState::Ended { Down::Ended } else { Down::Dead };
            self.effects.push_back(Effect::Down { node, why });
        }
    }

    /// The view is fresh once each node that is here was heard since, and its members are.
    fn settle(&mut self, now: Instant) {
        let Some(since) = self.link.hears_since().filter(|_| self.link.may_be_fresh(now)) else { return };
        let alive = |peer: &&Peer| peer.state == PeerState::Alive;
        let is_current = |peer: &Peer| peer.leased.is_some_and(|at| at >= since) && !peer.roster.is_behind();
        if self.peers.values().filter(alive).all(is_current) {
            self.link.fresh();
            self.effects.push_back(Effect::Fresh);
        }
    }

    // What follows.

    /// The next thing to do or to tell.
    pub(in crate::hub) fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The last moment at which the view of the other nodes was right, if it may not be now.
    pub(in crate::hub) fn stale_since(&self) -> Option<Instant> {
        self.link.stale_since()
    }

    /// How far a connection has everything that this node has handed to it until now.
    pub(in crate::hub) fn token(&self, now: Instant) -> ResumeToken {
        let mut positions = self.positions();
        // The younger ones count for those who come back: here some more.
        let recent = self.recent(KEPT_FOR * 2, now);
        positions.retain(|node, _| recent.contains(node));
        ResumeToken::new(positions)
    }

    /// The place that the next message gets in what is kept for those that resume.
    pub(in crate::hub) fn next_place(&self) -> u64 {
        self.history.next_place()
    }

    /// What a connection with a token has missed, of that which `is_for` it, by its place. The caller subscribes it in the same moment,
    /// before more is handed out.
    pub(in crate::hub) fn resume(
        &mut self,
        token: &ResumeToken,
        is_for: impl Fn(u64, &Incoming) -> bool,
        now: Instant,
    ) -> Replay {
        self.history.trim(now);
        self.history.resume(token, &self.positions(), &self.recent(KEPT_FOR, now), is_for)
    }

    fn positions(&self) -> BTreeMap<NodeId, u64> {
        let others = self.peers.iter().map(|(node, peer)| (*node, peer.inbound.applied()));
        others.chain([(self.id, self.ring.last())]).collect()
    }

    /// The nodes that may have sent something within a time.
    fn recent(&self, time: Duration, now: Instant) -> BTreeSet<NodeId> {
        let is_recent =
            |peer: &Peer| peer.state == PeerState::Alive || now.saturating_duration_since(peer.heard) <= time;
        let others = self.peers.iter().filter(|(_, peer)| is_recent(peer)).map(|(node, _)| *node);
        others.chain([self.id]).collect()
    }

    // Parts of the above.

    /// Hands out what an origin's messages came to.
    fn apply(&mut self, origin: NodeId, now: Instant) {
        let applied_to = self.peers.get(&origin).map_or(0, |peer| peer.inbound.applied());
        let mut applied = std::mem::take(&mut self.applied);
        // What is lost is before the next message, or at the end.
        let mut lost = 0;
        for what in applied.drain(..) {
            match what {
                Applied::Lost(count) => lost += count,
                Applied::Message(seq, message) => {
                    self.tell_lost(origin, &mut lost, seq - 1);
                    let place = Some(self.history.push(origin, seq, message.clone(), now));
                    self.effects.push_back(Effect::Deliver { origin: Some(origin), message, place });
                }
            }
        }
        self.tell_lost(origin, &mut lost, applied_to);
        self.applied = applied;
    }

    fn tell_lost(&mut self, origin: NodeId, lost: &mut u64, to: u64) {
        let count = std::mem::take(lost);
        if count > 0 {
            self.history.lost(origin, to);
            self.effects.push_back(Effect::Lost { origin, count });
        }
    }

    /// Tells changes of another node's members, and closes those of ours whose user it has now.
    fn changed(&mut self, node: NodeId, changes: Vec<(ConnectionKey, Change)>) {
        for (key, change) in changes {
            let login = if let Change::LoggedIn(login) = &change { Some(login.clone()) } else { None };
            self.effects.push_back(Effect::Changed { node, key, change });
            let Some(login) = login else { continue };
            // Behind the new one, so that the user is here throughout.
            for mine in self.claims.other(node, &login) {
                let user = Arc::clone(&login.user);
                self.effects.push_back(Effect::Replaced { key: mine, user, node, by: key });
            }
        }
    }

    /// Another node, which begins here behind a number unless it is known. `None`: there are too many.
    fn know(&mut self, node: NodeId, after: u64, now: Instant) -> Option<()> {
        if self.peers.contains_key(&node) {
            return Some(());
        }
        if self.peers.len() >= NODES {
            let gone = self.peers.iter().filter(|(_, peer)| peer.state != PeerState::Alive);
            let oldest = *gone.min_by_key(|(_, peer)| peer.heard)?.0;
            self.peers.remove(&oldest);
            self.history.forget(oldest);
        }
        self.history.begin(node, after);
        self.peers.insert(node, Peer::new(after, now));
        Some(())
    }
}

/// A message that came without a header.
fn foreign(to: super::subject::To, payload: Bytes) -> Incoming {
    Incoming { to, kind: MessageKind::of(&payload), payload, policy: Policy::DropOldest }
}

/// What an unknown node's messages begin behind.
fn before(seq: u64) -> u64 {
    seq - 1
}

#[cfg(test)]
impl Node {
    /// How far an origin's messages are, and how many of them are lost.
    pub(super) fn inbound(&self, node: NodeId) -> Option<(u64, u64)> {
        self.peers.get(&node).map(|peer| (peer.inbound.applied(), peer.inbound.lost()))
    }

    /// The number of the last changes of another node's members.
    pub(super) fn presence(&self, node: NodeId) -> u64 {
        self.peers.get(&node).map_or(0, |peer| peer.roster.n())
    }

    /// The other nodes that are here, and their connections.
    pub(super) fn others(&self) -> impl Iterator<Item = (NodeId, &str, &Members)> {
        let alive = self.peers.iter().filter(|(_, peer)| peer.state == PeerState::Alive);
        alive.map(|(node, peer)| (*node, &*peer.name, peer.roster.members()))
    }

    pub(super) fn sent(&self) -> u64 {
        self.ring.last()
    }

    pub(super) fn own(&self) -> &Members {
        self.own.members()
    }
}
