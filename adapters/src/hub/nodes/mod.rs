//! The other nodes, as the hub of this one tells them what happens.

mod driver;
mod machine;
mod over;
mod resume;

use std::sync::{Arc, PoisonError, RwLockReadGuard};
use std::task::{Context, Poll};

use super::cluster::{Change, Incoming, MessageKind, To};
use super::recipients::Audience;
use super::{ConnectionKey, Login, OnBus};
use crate::Bytes;
use crate::sync::Woken;
use crate::ws::{Kind, Message, WhenFull};
pub use driver::HubNode;
pub(super) use machine::EndOfHub;
use machine::{Machine, Phase};
pub use resume::Resume;

/// The way to the other nodes, if there are any.
///
/// What changes is told with the lock on the registry held, so that all nodes are told in one order.
#[derive(Clone)]
pub(super) struct Nodes(Option<Arc<Machine>>);

impl Nodes {
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Held while a message is handed to its receivers, so that a connection which resumes has each message before, or
    /// gets it after.
    pub(super) fn gate(&self) -> Option<RwLockReadGuard<'_, ()>> {
        Some(self.0.as_ref()?.gate.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn joined(&self, key: ConnectionKey, woken: &mut Woken) {
        if let Some(machine) = &self.0 {
            machine.tell(woken, |state, now| {
                state.came_in(key);
                state.node.join(key, now);
            });
        }
    }

    pub(super) fn logged_in(
        &self,
        key: ConnectionKey,
        user: impl FnOnce() -> Option<Arc<str>>,
        login: Login,
        woken: &mut Woken,
    ) {
        let Some(machine) = &self.0 else { return };
        let Some(user) = user() else { return };
        machine.tell(woken, |state, now| {
            state.logged_in(key, &user);
            state.node.login(key, user, login == Login::Replace, now);
        });
    }

    pub(super) fn subscribed(&self, key: ConnectionKey, topic: &str, woken: &mut Woken) {
        self.changed(key, woken, || Change::Subscribed(topic.into()));
    }

    pub(super) fn unsubscribed(&self, key: ConnectionKey, topic: &str, woken: &mut Woken) {
        self.changed(key, woken, || Change::Unsubscribed(topic.into()));
    }

    pub(super) fn meta_set(&self, key: ConnectionKey, meta: &Bytes, woken: &mut Woken) {
        self.changed(key, woken, || Change::MetaSet(meta.clone()));
    }

    pub(super) fn left(&self, key: ConnectionKey, woken: &mut Woken) {
        if let Some(machine) = &self.0 {
            machine.tell(woken, |state, now| {
                state.went(key);
                state.node.change(key, Change::Left, now);
            });
        }
    }

    fn changed(&self, key: ConnectionKey, woken: &mut Woken, change: impl FnOnce() -> Change) {
        if let Some(machine) = &self.0 {
            machine.tell(woken, |state, now| state.node.change(key, change(), now));
        }
    }

    /// Sends a message to the other nodes.
    pub(super) fn publish(
        &self,
        audience: Audience<'_>,
        message: &Message,
        when_full: WhenFull,
        woken: &mut Woken,
    ) -> Option<OnBus> {
        let machine = self.0.as_ref()?;
        let kind = match message.kind()? {
            Kind::Text => MessageKind::Text,
            Kind::Binary => MessageKind::Binary,
        };
        let mut state = machine.state.lock();
        if state.phase == Phase::Over {
            return Some(OnBus::Left);
        }
        let to = match audience {
            Audience::Topic(topic) => To::Topic(topic.into()),
            Audience::User(user) => To::User(user.into()),
            Audience::Everyone => To::Everyone,
            Audience::Connection(key) => state.elsewhere(key)?,
        };
        let now = state.now();
        let payload = message.clone().into_bytes();
        let on_bus = state.node.send(Incoming { to, kind, payload, policy: when_full.into() }, now);
        woken.take(&mut state.waker);
        Some(on_bus)
    }

    /// Makes the other nodes hear that this one ends.
    pub(super) fn leave(&self) {
        if let Some(machine) = &self.0 {
            machine.leave();
        }
    }

    /// Waits until this node has left the bus.
    pub(super) fn poll_left(&self, cx: &Context<'_>) -> Poll<()> {
        self.0.as_ref().map_or(Poll::Ready(()), |machine| machine.poll_left(cx))
    }

    fn machine(&self) -> Option<&Arc<Machine>> {
        self.0.as_ref()
    }
}
