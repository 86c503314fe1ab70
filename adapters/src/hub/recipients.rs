//! Chooses receivers, and sends to them.

use std::fmt;

use super::shared::Shared;
use super::{ConnectionKey, Fanout};
use crate::sync::Woken;
use crate::ws::{Message, WhenFull};

/// The receivers of a message: a topic's, a user's, everyone, or one connection. Made by [`Hub`](super::Hub).
///
/// ```no_run
/// # async fn f(hub: endwell::hub::Hub) {
/// use endwell::ws::WhenFull;
///
/// let receipt = hub.topic("prices").send("EUR 1.08", WhenFull::DropOldest).await;
/// println!("{} have it, {} lag", receipt.delivered(), receipt.lagged);
/// # }
/// ```
#[derive(Clone)]
#[must_use = "nothing is sent before `send`"]
pub struct Recipients<'a> {
    shared: &'a Shared,
    audience: Audience<'a>,
    except: Vec<ConnectionKey>,
    is_local: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Audience<'a> {
    Topic(&'a str),
    User(&'a str),
    Everyone,
    Connection(ConnectionKey),
}

impl<'a> Recipients<'a> {
    fn new(shared: &'a Shared, audience: Audience<'a>) -> Self {
        Self { shared, audience, except: Vec::new(), is_local: false }
    }

    pub(super) fn of_topic(shared: &'a Shared, topic: &'a str) -> Self {
        Self::new(shared, Audience::Topic(topic))
    }

    pub(super) fn of_user(shared: &'a Shared, user: &'a str) -> Self {
        Self::new(shared, Audience::User(user))
    }

    pub(super) fn everyone(shared: &'a Shared) -> Self {
        Self::new(shared, Audience::Everyone)
    }

    pub(super) fn connection(shared: &'a Shared, key: ConnectionKey) -> Self {
        Self::new(shared, Audience::Connection(key))
    }

    /// Leaves out a connection of this node, mostly that of the sender. Repeat it for a few: each receiver is compared
    /// with each. Connections of other nodes are not left out.
    pub fn except(mut self, key: ConnectionKey) -> Self {
        if key.is_here() {
            self.except.push(key);
        }
        self
    }

    /// Leaves out the connections of all other nodes: for what each node tells its own, such as a list of users.
    pub fn here(mut self) -> Self {
        self.is_local = true;
        self
    }

    /// Sends a message, encoded and compressed once, to all receivers. For each without room, `when_full` applies.
    ///
    /// It is sent when this is *called*. The returned future is ready at once, unless `when_full` is
    /// [`WhenFull::Wait`] and a receiver has no room: then it waits for those, concurrently.
    /// [`Fanout::now`] returns the receipt without waiting.
    ///
    /// A hub on many nodes sends it to the receivers of the others too, which the receipt does not count:
    /// [`Receipt::bus`](super::Receipt::bus) is what becomes of it on the way there. Where `when_full` waits, it is dropped
    /// for receivers of other nodes without room.
    ///
    /// A receiver that leaves meanwhile is not counted, and one that joins or subscribes meanwhile does not get the
    /// message.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops waiting for those without room, which do not get the message.
    pub fn send(&self, message: impl Into<Message>, when_full: WhenFull) -> Fanout {
        let message = message.into();
        let (shared, except, audience) = (self.shared, &*self.except, self.audience);
        let mut fanout = Fanout::new(shared.observer);
        // Dropped behind the locks.
        let mut woken = Woken::default();
        let _gate = shared.nodes.gate();
        let mut on_bus = None;
        // Once it is certain who the receivers of this node are: so a message is before or behind what they do, and in the
        // same order as others, on all nodes.
        let mut begins = |message: &Message| {
            if !self.is_local {
                on_bus = shared.nodes.publish(audience, message, when_full, &mut woken);
            }
        };
        match audience {
            Audience::Connection(key) if key.is_here() => {
                let seat = shared.look(|registry| registry.member(key).cloned());
                if let Some(seat) = seat.filter(|_| !except.contains(&key)) {
                    fanout.deliver(&seat.outlet, message, when_full);
                }
            }
            Audience::Connection(_) => begins(&message.shared()),
            Audience::Topic(topic) => {
                let message = message.shared();
                shared.each_in_topic(
                    topic,
                    except,
                    || begins(&message),
                    |seat| {
                        fanout.deliver(&seat.outlet, message.clone(), when_full);
                    },
                );
            }
            Audience::User(user) => {
                let message = message.shared();
                shared.each_of_user(
                    user,
                    except,
                    || begins(&message),
                    |seat| {
                        fanout.deliver(&seat.outlet, message.clone(), when_full);
                    },
                );
            }
            Audience::Everyone => {
                let message = message.shared();
                shared.each_of_all(
                    except,
                    || begins(&message),
                    |seat| {
                        fanout.deliver(&seat.outlet, message.clone(), when_full);
                    },
                );
            }
        }
        fanout.on_bus(on_bus);
        shared.observer.sent(audience);
        fanout.begun();
        fanout
    }
}

impl fmt::Debug for Recipients<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Recipients");
        match self.audience {
            Audience::Topic(topic) => shown.field("topic", &topic),
            Audience::User(user) => shown.field("user", &user),
            Audience::Everyone => &mut shown,
            Audience::Connection(key) => shown.field("connection", &key),
        };
        shown.field("except", &self.except).field("here", &self.is_local).finish()
    }
}
