//! Membership, as a value.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::shared::Shared;
use super::{ConnectionKey, Departure, LoginError, MetaError, Seat, SubscribeError};
use crate::Bytes;
use crate::ws::Outlet;

/// A connection's membership in a [`Hub`](super::Hub): the connection is there while this lives and the connection has
/// not ended.
///
/// Dropping it leaves, exactly once and whatever the reason. It cannot be cloned:
///
/// ```compile_fail,E0599
/// # fn f(member: endwell::hub::Member) {
/// let second = member.clone();
/// # }
/// ```
///
/// Nothing can be done in the hub after leaving, nor can a member leave twice:
///
/// ```compile_fail,E0382
/// # fn f(member: endwell::hub::Member) {
/// member.leave();
/// member.login("alice", endwell::hub::Login::Replace);
/// # }
/// ```
#[must_use = "the connection leaves when this is dropped"]
pub struct Member {
    pub(super) seat: Arc<Seat>,
    /// The slot among those that are woken at the end of the connection.
    watch: Option<usize>,
}

/// What happens to the other connections of a user who logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// They leave the hub, are told [`Notice::Replaced`], and are closed with
    /// [`HubConfig::replaced`](super::HubConfig::replaced). On other nodes that is once the login is heard there. Of
    /// logins on two nodes at the same time one stays.
    Replace,
    /// They stay, unless there are this many already: then the login is refused. Those of other nodes count as far as they
    /// are known.
    Beside {
        /// The most connections of the user, with this one.
        at_most: usize,
    },
}

/// What a member is told: [`Member::told`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// Its user logged in on another connection. It has left the hub, and is being closed.
    Replaced {
        /// The other connection.
        by: ConnectionKey,
    },
    /// The hub closes all connections, this one within a time.
    Draining {
        /// The time.
        within: Duration,
    },
    /// It has left the hub, mostly because its connection has ended.
    Left,
}

impl Member {
    pub(super) fn join(shared: &Arc<Shared>, outlet: Outlet) -> Self {
        let since = shared.now();
        let (seat, draining) = shared.change(|state, woken| {
            let make = |key| Arc::new(Seat::new(Arc::clone(shared), key, outlet, since));
            let seat = state.registry.join(make);
            state.nodes.joined(seat.key(), woken);
            if let Some(within) = state.draining {
                state.notices.tell(seat.key(), Notice::Draining { within }, woken);
            }
            (seat, state.draining.is_some())
        });
        let watch = seat.outlet.watch(Waker::from(Arc::clone(&seat)));
        if watch.is_none() {
            shared.leave(seat.key(), Departure::Ended);
        }
        if draining {
            seat.outlet.clone().close(shared.draining.clone());
        }
        Self { seat, watch }
    }

    /// The connection's key.
    pub fn key(&self) -> ConnectionKey {
        self.seat.key()
    }

    /// Makes the connection one of a user's. A connection that was another user's is so no longer.
    ///
    /// # Errors
    ///
    /// If the connection has left, the user has too many, or the name is too long.
    pub fn login(&self, user: &str, login: Login) -> Result<(), LoginError> {
        let (shared, key) = (&self.seat.shared, self.seat.key());
        let replaced = shared.change(|state, woken| {
            let replaced = state.registry.login(key, user, login)?;
            let super::shared::State { registry, nodes, .. } = state;
            nodes.logged_in(key, || registry.user_of(key), login, woken);
            for old in &replaced {
                state.nodes.left(old.key(), woken);
                state.notices.tell(old.key(), Notice::Replaced { by: key }, woken);
            }
            Ok(replaced)
        })?;
        for old in replaced {
            old.outlet.clone().close(shared.replaced.clone());
        }
        Ok(())
    }

    /// Subscribes to a topic, which exists from its first subscriber on. What is sent to the topic from now on goes to
    /// this connection. Returns false if it was subscribed already.
    ///
    /// # Errors
    ///
    /// If the connection has left, it or the hub has too many topics, or the name is too long.
    pub fn subscribe(&self, topic: &str) -> Result<bool, SubscribeError> {
        let key = self.seat.key();
        self.seat.shared.change(|state, woken| {
            let is_new = state.registry.subscribe(key, topic)?;
            if is_new {
                state.nodes.subscribed(key, topic, woken);
            }
            Ok(is_new)
        })
    }

    /// Ends a subscription. Returns false if there was none. What was sent before may still arrive.
    pub fn unsubscribe(&self, topic: &str) -> bool {
        let key = self.seat.key();
        self.seat.shared.change(|state, woken| {
            let was_subscribed = state.registry.unsubscribe(key, topic);
            if was_subscribed {
                state.nodes.unsubscribed(key, topic, woken);
            }
            was_subscribed
        })
    }

    /// Sets what [`presence`](super::Hub::presence) shows of the connection, such as a name or a status. It is copied.
    ///
    /// # Errors
    ///
    /// If the connection has left, or the metadata is too long.
    pub fn set_meta(&self, meta: impl AsRef<[u8]>) -> Result<(), MetaError> {
        let (key, meta) = (self.seat.key(), Bytes::copy_from_slice(meta.as_ref()));
        self.seat.shared.change(|state, woken| {
            state.registry.set_meta(key, meta.clone())?;
            state.nodes.meta_set(key, &meta, woken);
            Ok(())
        })
    }

    /// True until the member has left.
    pub fn is_here(&self) -> bool {
        self.seat.shared.look(|registry| registry.member(self.seat.key()).is_some())
    }

    /// Waits until the member is told something. Each notice is told once, and [`Notice::Left`] from then on.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn told(&mut self) -> Told<'_> {
        Told { seat: &self.seat }
    }

    /// Leaves, as dropping does.
    pub fn leave(self) {}
}

impl Drop for Member {
    fn drop(&mut self) {
        let (Seat { shared, outlet, .. }, key) = (&*self.seat, self.seat.key());
        let left = shared.change(|state, woken| {
            let left = state.leave(key, Departure::Dropped, woken);
            state.notices.forget(key, woken);
            left
        });
        // Without the lock: its outlet may be the last.
        drop(left);
        if let Some(watch) = self.watch {
            outlet.unwatch(watch);
        }
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("key", &self.seat.key()).finish_non_exhaustive()
    }
}

/// Waits until a member is told something: [`Member::told`].
#[must_use = "futures do nothing unless polled"]
pub struct Told<'a> {
    seat: &'a Seat,
}

impl Future for Told<'_> {
    type Output = Notice;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Notice> {
        self.seat.shared.poll_told(self.seat.key(), cx)
    }
}

impl fmt::Debug for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told").finish_non_exhaustive()
    }
}
