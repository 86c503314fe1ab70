//! Gives a connection that comes back what it missed.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLockWriteGuard};

use super::driver::message_of;
use super::machine::{Machine, State};
use crate::hub::cluster::{Incoming, Replay, To};
use crate::hub::{Member, ResumeToken, SubscribeError};
use crate::ws::{Delivery, WhenFull};

/// What a connection that came back has got: [`Member::resume`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// All that it missed, which is so many messages. They are in its queue.
    Resumed(u64),
    /// Something that it missed cannot be given: it is too old, was lost, is not known to this node, or does not fit into
    /// the queue. What comes from now on comes. Load the rest in another way, or tell the user of a gap.
    Gap,
}

impl Member {
    /// Subscribes to topics, and puts into the connection's queue what was sent to them since `token` was made, on any
    /// node: behind what is in the queue, in the order in which this node had it, and in the same moment, so that
    /// nothing is missed between the two and nothing comes twice. What was sent to the member's user and to everyone is
    /// among it, up to its login and its join; what came later it has. Nothing is given for topics that it is subscribed to
    /// already.
    ///
    /// Each node keeps the last 4,096 messages of all nodes, at most 1 MiB and 60 s. A hub without a bus keeps none.
    ///
    /// Log in and resume at once after joining, and let the client keep the newest token that it has got. The client has
    /// seen what came behind its token, so it should know messages by something in them.
    /// Messages that were sent [`except`](crate::hub::Recipients::except) the connection are given to it too: it is
    /// another one now.
    ///
    /// ```no_run
    /// # fn f(hub: endwell::hub::Hub, socket: endwell::ws::Socket, token: &str) -> Result<(), Box<dyn std::error::Error>> {
    /// use endwell::hub::{Login, Resume};
    ///
    /// let member = hub.join(&socket);
    /// member.login("alice", Login::Replace)?;
    /// match member.resume(&token.parse()?, &["lobby"])? {
    ///     Resume::Resumed(missed) => println!("{missed} messages follow"),
    ///     Resume::Gap => println!("loads the page anew"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the connection cannot be [subscribed](Self::subscribe) to a topic. It is to those before it, and got nothing.
    pub fn resume(&self, token: &ResumeToken, topics: &[&str]) -> Result<Resume, SubscribeError> {
        let shared = &self.seat.shared;
        let machine = shared.nodes.machine();
        let _still = machine.map(|machine| machine.still());
        let mut new = HashSet::new();
        for topic in topics {
            if self.subscribe(topic)? {
                new.insert(*topic);
            }
        }
        let Some(machine) = machine else { return Ok(Resume::Gap) };
        let key = self.key();
        let user = shared.look(|registry| registry.user_of(key));
        let missed = {
            let mut state = machine.state.lock();
            let now = state.now();
            let State { node, since, .. } = &mut *state;
            let is_for = |place: u64, message: &Incoming| match &message.to {
                To::Topic(topic) => new.contains(&**topic),
                To::User(other) => user.as_ref() == Some(other) && !since.had_for_user(key, place),
                To::Everyone => !since.had_for_everyone(key, place),
                To::Connection(..) => false,
            };
            node.resume(token, is_for, now)
        };
        let Replay::Whole(missed) = missed else { return Ok(Resume::Gap) };
        let mut count = 0;
        for Incoming { kind, payload, .. } in missed {
            let delivery = self.seat.outlet.try_deliver(message_of(kind, payload), WhenFull::DropNewest);
            let Ok(Delivery::Accepted) = delivery else { return Ok(Resume::Gap) };
            count += 1;
        }
        Ok(Resume::Resumed(count))
    }
}

impl Machine {
    /// While this is held, nothing is handed out.
    pub(super) fn still(&self) -> RwLockWriteGuard<'_, ()> {
        self.gate.write().unwrap_or_else(PoisonError::into_inner)
    }
}
