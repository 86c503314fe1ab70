//! The state that a pool shares with its connections: places behind a lock, and the values that hold one.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use super::PoolLimits;
use super::number::Number;
use super::places::{Counted, Effects, Grant, Places};
use crate::Driver;
use crate::client::Origin;
use crate::client::connection::{Connection, Right};
use crate::sync::Lock;

/// The places. The pool holds it; connections only have a weak reference, so that idle connections close with the pool.
pub(in crate::client) struct Shared(Lock<Places<Right>>);

/// A place that is taken, from before a connection is made until its socket is closed. Dropping this frees the place,
/// once.
pub(super) struct Place {
    pool: Weak<Shared>,
    id: Number,
}

/// The pool that a connection belongs to, to which it returns when it is no longer needed.
pub(in crate::client) struct Member {
    pool: Weak<Shared>,
    id: Number,
    is_used: bool,
}

/// A connection or place that a pool grants.
pub(super) enum Admission {
    /// An idle connection.
    Idle(Connection),
    /// A place for a new one.
    Place(Place),
}

impl Shared {
    pub(super) fn new(limits: PoolLimits) -> Arc<Self> {
        Arc::new(Self(Lock::new(Places::new(limits))))
    }

    pub(super) fn counted(&self) -> Counted {
        self.0.lock().counted()
    }

    /// Waits for a place at `origin`.
    pub(super) fn admit<'a>(self: &'a Arc<Self>, origin: &'a Origin) -> Admit<'a> {
        Admit { pool: self, origin, ticket: None }
    }

    /// Closes a connection and waits for its place, or another one.
    pub(super) fn renew<'a>(self: &'a Arc<Self>, connection: Connection, origin: &'a Origin) -> Renew<'a> {
        Renew { connection: Some(connection), admit: self.admit(origin) }
    }

    /// Changes the places. The effects run without the lock.
    fn change<R>(&self, change: impl FnOnce(&mut Places<Right>, &mut Effects<Right>) -> R) -> R {
        let mut effects = Effects::default();
        let result = change(&mut self.0.lock(), &mut effects);
        drop(effects);
        result
    }

    fn admission(self: &Arc<Self>, grant: Grant<Right>) -> Admission {
        let Grant { id, idle } = grant;
        match idle {
            Some(right) => {
                let member = Member { pool: Arc::downgrade(self), id, is_used: true };
                Admission::Idle(Connection::again(right.joined(member)))
            }
            None => Admission::Place(Place { pool: Arc::downgrade(self), id }),
        }
    }
}

impl Place {
    /// The membership of the connection that is made in this place.
    pub(super) fn member(&self) -> Member {
        Member { pool: Weak::clone(&self.pool), id: self.id, is_used: false }
    }

    /// Drives the connection, and leaves when its socket is closed.
    pub(super) async fn keep(driver: Driver, place: Self) {
        driver.await;
        drop(place);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.change(|places, effects| places.leave(self.id, effects));
        }
    }
}

impl Member {
    /// True if a request was sent over the connection before.
    pub(in crate::client) fn is_used(&self) -> bool {
        self.is_used
    }

    /// Returns the connection to its pool. Without its pool it closes.
    pub(in crate::client) fn give_back(self, right: Right) {
        if let Some(pool) = self.pool.upgrade() {
            pool.change(|places, effects| places.give_back(self.id, right, effects));
        }
    }
}

/// Waits for a place. If it is dropped, what was granted goes to the next request.
pub(super) struct Admit<'a> {
    pool: &'a Arc<Shared>,
    origin: &'a Origin,
    ticket: Option<Number>,
}

impl Future for Admit<'_> {
    type Output = Admission;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Admission> {
        let Self { pool, origin, ticket } = self.get_mut();
        let granted = pool.change(|places, effects| {
            if let Some(ticket) = *ticket {
                return places.look(ticket, cx.waker(), effects);
            }
            let granted = places.take(origin);
            if granted.is_none() {
                *ticket = Some(places.wait(origin, cx.waker().clone(), effects));
            }
            granted
        });
        let Some(grant) = granted else { return Poll::Pending };
        *ticket = None;
        Poll::Ready(pool.admission(grant))
    }
}

impl Drop for Admit<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.pool.change(|places, effects| places.quit(ticket, effects));
        }
    }
}

/// Closes a connection and waits for its place. If that is already gone, it waits for another one.
pub(super) struct Renew<'a> {
    connection: Option<Connection>,
    admit: Admit<'a>,
}

impl Future for Renew<'_> {
    type Output = Admission;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Admission> {
        let Self { connection, admit } = self.get_mut();
        if let Some(mut right) = connection.take().map(Connection::into_right) {
            if let Some(member) = right.part() {
                admit.ticket = admit.pool.change(|places, _| places.renew(member.id, cx.waker().clone()));
            }
        }
        Pin::new(admit).poll(cx)
    }
}
