//! Moves messages between the machine of a node, its bus and its hub.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use endwell_core::Instant;

use super::machine::{Machine, Phase};
use crate::hub::cluster::{Backplane, BusEvent, Change, Down, Effect, Incoming, MessageKind, NodeId, To};
use crate::hub::key::NodeIndex;
use crate::hub::shared::Shared;
use crate::hub::{ConnectionKey, Departure, HubEvent, Notice, Receipt};
use crate::runtime::Timer;
use crate::sync::Woken;
use crate::ws::{Message, WhenFull};

/// The events of the bus that one turn takes, so that a busy bus does not keep the thread from other tasks.
const EVENTS: usize = 64;

/// The time after which a bus that has refused is asked again, if it has not woken the task: 50 ms, well within the time
/// between two leases.
const REFUSED_FOR: Duration = Duration::from_millis(50);

/// The shortest wait: 1 ms, so that a moment which has passed already, as that of a lease which a node that has left does not
/// send, is not waited for without a pause.
const PAUSE: Duration = Duration::from_millis(1);

/// The time in which the other nodes are told that this one ends: 1 s. Without that they find out after 3.5 s.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);

/// Keeps a hub in touch with the other nodes: made by [`Hub::over`](crate::hub::Hub::over).
///
/// Keep polling it while the hub is used: spawn it. It ends behind the end of [`Hub::drain`](crate::hub::Hub::drain), or
/// once the hub and all its members have been dropped, and tells the other nodes so. It does not keep the hub alive.
///
/// Dropping it earlier tells them too, as far as the bus takes that at once. The hub then goes on alone.
#[must_use = "other nodes are heard only while this is polled"]
pub struct HubNode {
    pub(super) machine: Arc<Machine>,
    pub(super) shared: Weak<Shared>,
    pub(super) bus: Box<dyn Backplane>,
    pub(super) timer: Pin<Box<dyn Timer>>,
    /// When it ends, at the latest.
    pub(super) ends_at: Option<Instant>,
}

impl Future for HubNode {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if this.machine.state.lock().phase == Phase::Over {
            return Poll::Ready(());
        }
        let is_busy = this.take_events(cx);
        if this.shared.strong_count() == 0 {
            this.machine.leave();
        }
        let wait = this.flush(cx);
        if this.has_left(cx) {
            this.end();
            return Poll::Ready(());
        }
        let now = this.timer.now();
        let until = wait.map(|wait| now.saturating_add(wait)).into_iter().chain(this.ends_at).min();
        let is_due =
            until.is_some_and(|until| until <= now || this.timer.as_mut().poll_sleep(cx, until).is_ready());
        if is_busy || is_due {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl HubNode {
    /// Takes what the bus has. True if it may have more.
    fn take_events(&mut self, cx: &mut Context<'_>) -> bool {
        for _ in 0..EVENTS {
            let Poll::Ready(event) = self.bus.poll(cx) else { return false };
            self.with_machine(|state, now| match event {
                BusEvent::Connected => state.connected(now),
                BusEvent::Cut => state.cut(now),
                BusEvent::Received { subject, header, payload } => {
                    state.received(&subject, header.as_deref(), payload, now);
                }
            });
        }
        true
    }

    /// Does something with the machine, and then what follows from it.
    fn with_machine(&self, act: impl FnOnce(&mut crate::hub::cluster::Node, std::time::Instant)) {
        // Held until all is handed out: what the machine has, connections have that do not resume behind it.
        let _gate = self.machine.gate.read().unwrap_or_else(PoisonError::into_inner);
        let mut effects = Vec::new();
        let mut state = self.machine.state.lock();
        let now = state.now();
        act(&mut state.node, now);
        while let Some(effect) = state.node.next_effect() {
            if let Effect::Deliver { place: Some(place), .. } = effect {
                state.undelivered.push(place);
            }
            effects.push(effect);
        }
        drop(state);
        let Some(shared) = self.shared.upgrade() else { return };
        for effect in effects {
            self.follow(&shared, effect);
        }
    }

    /// Lets time pass, and gives the bus what it takes. Returns the time until this is due again.
    fn flush(&mut self, cx: &Context<'_>) -> Option<Duration> {
        let mut woken = Woken::default();
        let is_due = {
            let mut state = self.machine.state.lock();
            woken.register(&mut state.waker, cx.waker());
            state.node.deadline().is_some_and(|at| at <= state.now())
        };
        if is_due {
            self.with_machine(crate::hub::cluster::Node::tick);
        }
        let mut state = self.machine.state.lock();
        let now = state.now();
        let mut is_refused = false;
        state.node.flush(now, |publication| {
            let taken = self.bus.try_publish(publication);
            is_refused |= taken.is_err();
            taken
        });
        let wait = state.node.deadline()?.saturating_duration_since(now);
        Some(wait.max(if is_refused { REFUSED_FOR } else { PAUSE }))
    }

    /// True once the other nodes have been told that this one ends, or cannot be.
    fn has_left(&mut self, cx: &mut Context<'_>) -> bool {
        let state = self.machine.state.lock();
        if state.phase == Phase::Open {
            return false;
        }
        let is_said = state.node.has_left();
        drop(state);
        let now = self.timer.now();
        let ends_at = *self.ends_at.get_or_insert(now.saturating_add(LEAVE_WITHIN));
        now >= ends_at || (is_said && self.bus.poll_flush(cx).is_ready())
    }

    fn end(&self) {
        self.machine.over();
        if let Some(shared) = self.shared.upgrade() {
            shared.change(|state, _| state.registry.forget_elsewhere());
        }
    }

    fn follow(&self, shared: &Shared, effect: Effect) {
        match effect {
            Effect::Deliver { message, place, .. } => self.deliver(shared, message, place),
            Effect::Replaced { key, node, by, .. } => {
                shared.replaced_elsewhere(key, by.on(self.machine.index(node)));
            }
            Effect::Changed { node, key, change } => {
                let key = key.on(self.machine.index(node));
                shared.change(|state, _| changed(&mut state.registry, key, change));
            }
            Effect::Up { node, name } => {
                let index = self.machine.index(node);
                shared.change(|state, _| state.registry.node_up(index, name));
            }
            Effect::Down { node, why } => {
                let index = self.machine.index(node);
                shared.change(|state, _| state.registry.node_down(index, why == Down::Ended));
            }
            Effect::Stale { .. } => shared.change(|state, _| state.registry.tell(|| HubEvent::Stale)),
            Effect::Fresh => shared.change(|state, _| state.registry.tell(|| HubEvent::Fresh)),
            Effect::Lost { origin, count } => {
                self.tell(shared, origin, |node| HubEvent::Lost { node, count });
            }
            Effect::Missed { by, count } => {
                self.tell(shared, by, |node| HubEvent::Missed { node, count });
            }
        }
    }

    /// Tells of something that another node did.
    fn tell(&self, shared: &Shared, node: NodeId, event: impl FnOnce(Arc<str>) -> HubEvent) {
        let index: NodeIndex = self.machine.index(node);
        shared.change(|state, _| {
            let name = state.registry.node_name(index).unwrap_or_else(|| node.to_string().into());
            state.registry.tell(|| event(name));
        });
    }

    /// Hands a message of another node to the members of this one.
    fn deliver(&self, shared: &Shared, message: Incoming, place: Option<u64>) {
        let Incoming { to, kind, payload, policy } = message;
        let when_full = WhenFull::from(policy);
        let (mut encoded, mut receipt) = (None, Receipt::default());
        let each = |seat: &Arc<crate::hub::Seat>| {
            let message = encoded.get_or_insert_with(|| message_of(kind, payload.clone()).shared()).clone();
            // It never waits, so it is delivered or not.
            if let Ok(delivery) = seat.outlet.try_deliver(message, when_full) {
                receipt.count(&delivery);
            }
        };
        let begins = || self.machine.delivers(place);
        match to {
            To::Topic(topic) => shared.each_in_topic(&topic, &[], begins, each),
            To::User(user) => shared.each_of_user(&user, &[], begins, each),
            To::Everyone => shared.each_of_all(&[], begins, each),
            To::Connection(node, key) => {
                begins();
                let is_here = node == self.machine.state.lock().node.id();
                let seat = shared.look(|registry| registry.member(key).cloned());
                seat.iter().filter(|_| is_here).for_each(each);
            }
        }
        shared.observer.delivered(&receipt);
    }
}

/// What other nodes and programs call text, but is not, is sent as bytes.
pub(super) fn message_of(kind: MessageKind, payload: crate::Bytes) -> Message {
    match kind {
        MessageKind::Binary => Message::binary(payload),
        MessageKind::Text => match String::from_utf8(payload.into()) {
            Ok(text) => Message::text(text),
            Err(error) => Message::binary(error.into_bytes()),
        },
    }
}

fn changed<M: Clone>(registry: &mut crate::hub::Registry<M>, key: ConnectionKey, change: Change) {
    match change {
        Change::Joined => registry.joined_there(key),
        Change::LoggedIn(login) => registry.logged_in_there(key, login.user),
        Change::LoggedOut => registry.logged_out_there(key),
        Change::MetaSet(meta) => registry.meta_set_there(key, meta),
        Change::Subscribed(topic) => registry.subscribed_there(key, topic),
        Change::Unsubscribed(topic) => registry.unsubscribed_there(key, topic),
        Change::Left => registry.left_there(key),
    }
}

impl Shared {
    /// Closes a connection of this node whose user has logged in on another one.
    fn replaced_elsewhere(&self, key: ConnectionKey, by: ConnectionKey) {
        let left = self.change(|state, woken| {
            let left = state.leave(key, Departure::Replaced { by }, woken)?;
            state.notices.tell(key, Notice::Replaced { by }, woken);
            Some(left)
        });
        if let Some(left) = left {
            left.outlet.clone().close(self.replaced.clone());
        }
    }
}

impl Drop for HubNode {
    fn drop(&mut self) {
        let mut state = self.machine.state.lock();
        if state.phase == Phase::Over {
            return;
        }
        state.node.leave();
        let now = state.now();
        state.node.flush(now, |publication| self.bus.try_publish(publication));
        drop(state);
        self.end();
    }
}

impl fmt::Debug for HubNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubNode").finish_non_exhaustive()
    }
}
