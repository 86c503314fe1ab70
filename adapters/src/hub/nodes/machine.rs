//! The machine of this node, its clock, and what its hub and its driver share.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::super::ConnectionKey;
use super::super::cluster::{Node, NodeId, To};
use super::super::key::NodeIndex;
use crate::runtime::Timer;
use crate::sync::{Lock, Woken};

/// What the hub of this node and its [`HubNode`](super::HubNode) share.
///
/// Locks are taken in this order: the gate, what orders a fan-out, the registry, the machine.
pub(in crate::hub) struct Machine {
    /// Read while a message is handed out, and written while a connection resumes.
    pub(super) gate: RwLock<()>,
    pub(super) state: Lock<State>,
}

pub(super) struct State {
    pub(super) node: Node,
    clock: Clock,
    pub(super) phase: Phase,
    /// The task of the driver.
    pub(super) waker: Option<Waker>,
    /// The task that waits until this node has left the bus.
    left: Option<Waker>,
    nodes: Indices,
    pub(super) since: AllSince,
    /// The places of the messages that arrived, and are not handed out yet.
    pub(super) undelivered: Vec<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// The other nodes are to be told that this one ends.
    Leaving,
    /// This node has left the bus.
    Over,
}

/// The clock of the runtime, as the machine reads it.
struct Clock {
    base: Instant,
    timer: Box<dyn Timer>,
}

/// The numbers of the other nodes.
#[derive(Default)]
struct Indices {
    ids: Vec<NodeId>,
    by_id: HashMap<NodeId, NodeIndex>,
}

/// Since when each connection has what is for everyone, and for its user.
#[derive(Debug, Default)]
pub(super) struct AllSince(HashMap<ConnectionKey, Since>);

#[derive(Debug, Default)]
struct Since {
    joined: Mark,
    login: Mark,
}

/// A moment between messages: which of those that resuming connections get were handed out after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Mark {
    /// The place of the next message.
    next: u64,
    /// Those before it that were not handed out yet.
    undelivered: Box<[u64]>,
}

impl Mark {
    /// True if a message was handed out after this moment.
    fn is_before(&self, place: u64) -> bool {
        place >= self.next || self.undelivered.contains(&place)
    }
}

impl Machine {
    pub(super) fn new(node: Node, base: Instant, timer: Box<dyn Timer>) -> Self {
        let state = State {
            node,
            clock: Clock { base, timer },
            phase: Phase::Open,
            waker: None,
            left: None,
            nodes: Indices::default(),
            since: AllSince::default(),
            undelivered: Vec::new(),
        };
        Self { gate: RwLock::new(()), state: Lock::new(state) }
    }

    /// Tells the machine something, unless this node has left the bus.
    pub(super) fn tell(&self, woken: &mut Woken, tell: impl FnOnce(&mut State, Instant)) {
        let mut state = self.state.lock();
        if state.phase == Phase::Over {
            return;
        }
        let now = state.now();
        tell(&mut state, now);
        woken.take(&mut state.waker);
    }

    /// Makes the driver tell the other nodes that this one ends.
    pub(in crate::hub) fn leave(&self) {
        let mut woken = Woken::default();
        let mut state = self.state.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Leaving;
            state.node.leave();
            woken.take(&mut state.waker);
        }
    }

    /// Waits until this node has left the bus.
    pub(in crate::hub) fn poll_left(&self, cx: &Context<'_>) -> Poll<()> {
        let mut woken = Woken::default();
        let mut state = self.state.lock();
        if state.phase == Phase::Over {
            return Poll::Ready(());
        }
        woken.register(&mut state.left, cx.waker());
        Poll::Pending
    }

    /// The bus is no longer there.
    pub(super) fn over(&self) {
        let mut woken = Woken::default();
        let mut state = self.state.lock();
        state.phase = Phase::Over;
        state.since = AllSince::default();
        woken.take(&mut state.left);
    }

    pub(super) fn index(&self, node: NodeId) -> NodeIndex {
        let nodes = &mut self.state.lock().nodes;
        if let Some(index) = nodes.by_id.get(&node) {
            return *index;
        }
        let index = NodeIndex::other(nodes.ids.len());
        nodes.ids.push(node);
        nodes.by_id.insert(node, index);
        index
    }

    /// A message that arrived is being handed out.
    pub(super) fn delivers(&self, place: Option<u64>) {
        if let Some(place) = place {
            self.state.lock().undelivered.retain(|other| *other != place);
        }
    }
}

impl State {
    pub(super) fn now(&self) -> Instant {
        let Clock { base, timer } = &self.clock;
        *base + timer.now().since_epoch()
    }

    /// A connection of another node, as a receiver.
    pub(super) fn elsewhere(&self, key: ConnectionKey) -> Option<To> {
        let node = self.nodes.ids.get(key.node.among_others()?)?;
        Some(To::Connection(*node, key.on(NodeIndex::HERE)))
    }

    pub(super) fn came_in(&mut self, key: ConnectionKey) {
        let joined = self.mark();
        self.since.0.insert(key, Since { joined, login: Mark::default() });
    }

    pub(super) fn logged_in(&mut self, key: ConnectionKey, user: &str) {
        if self.node.user_of(key) == Some(user) {
            return;
        }
        let mark = self.mark();
        if let Some(since) = self.since.0.get_mut(&key) {
            since.login = mark;
        }
    }

    pub(super) fn went(&mut self, key: ConnectionKey) {
        self.since.0.remove(&key);
    }

    fn mark(&self) -> Mark {
        Mark { next: self.node.next_place(), undelivered: self.undelivered.as_slice().into() }
    }
}

impl AllSince {
    /// True if a connection was here when a message for everyone was handed out.
    pub(super) fn had_for_everyone(&self, key: ConnectionKey, place: u64) -> bool {
        self.0.get(&key).is_some_and(|since| since.joined.is_before(place))
    }

    /// True if a connection was its user's when a message for the user was handed out.
    pub(super) fn had_for_user(&self, key: ConnectionKey, place: u64) -> bool {
        self.0.get(&key).is_some_and(|since| since.login.is_before(place))
    }
}

/// Ends this node once its hub and all members are gone.
pub(in crate::hub) struct EndOfHub(pub(super) Arc<Machine>);

impl Drop for EndOfHub {
    fn drop(&mut self) {
        self.0.leave();
    }
}
