//! Closes all connections of a hub, some at a time.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::schedule::Schedule;
use super::shared::Shared;
use super::{ConnectionKey, Hub, Notice};
use crate::runtime::{Runtime, Timer};

/// How long a drain waits at its end until the other nodes have been told: a little longer than that takes at most.
const LEAVE_WITHIN: Duration = Duration::from_millis(1500);

/// The times of a [`Hub::drain`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drain {
    /// The time after which what is still here is cut off. Default 30 s.
    pub within: Duration,
    /// The time over which the closes are spread. Default 10 s: 10,000 clients then come back at 1,000 a second. At
    /// most [`within`](Self::within).
    pub spread: Duration,
}

impl Default for Drain {
    fn default() -> Self {
        Self { within: Duration::from_secs(30), spread: Duration::from_secs(10) }
    }
}

/// How the connections of a hub have ended: [`Hub::drain`]. Its `Display` is a line for each that was cut off, behind
/// one that counts them.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DrainReport {
    /// How many of those that were here when it began have left in time.
    pub in_time: usize,
    /// The connections that had not left in time, and were cut off.
    pub late: Vec<Undrained>,
}

/// A connection that did not leave in time, as it was when it was cut off.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Undrained {
    /// The connection.
    pub key: ConnectionKey,
    /// Its user, if it has logged in.
    pub user: Option<Arc<str>>,
    /// The time since it joined.
    pub age: Duration,
    /// The messages in its queue, which were not written.
    pub unsent_messages: usize,
    /// The bytes of those.
    pub unsent_bytes: usize,
}

impl Hub {
    /// Closes all connections of this node with [`HubConfig::draining`](super::HubConfig::draining), spread over a time: in the order
    /// in which they joined, each behind what its queue has accepted. Every member is told
    /// [`Notice::Draining`] at once. Connections that join from now on are closed at once.
    ///
    /// Returns when all have left, or the time is over: then those that are still here are cut off, and the report names
    /// them. At the end a hub on many nodes tells the others that this one has gone. `runtime` keeps the time, for example [`Tokio`](crate::tokio::Tokio).
    ///
    /// ```no_run
    /// # async fn f<H: Send + Sync + 'static>(hub: endwell::hub::Hub, server: endwell::Server<H>) {
    /// use std::time::Duration;
    ///
    /// use endwell::hub::Drain;
    /// use endwell::tokio::Tokio;
    ///
    /// println!("{}", hub.drain(&Tokio, Drain::default()).await);
    /// println!("{}", server.shutdown(Duration::from_secs(5)).await);
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops closing: those whose turn has not come stay, and nothing is cut off. Call it again to go on.
    pub async fn drain(&self, runtime: &impl Runtime, drain: Drain) -> DrainReport {
        let shared = &self.shared;
        let keys = shared.begin_drain(drain.within);
        let schedule = Schedule::new(keys.len(), drain);
        let emptied = Emptied::new(shared);
        let mut timer = pin!(runtime.timer());
        let began = timer.now();
        let mut closed = 0;
        loop {
            let elapsed = timer.now().saturating_since(began);
            let due = schedule.due(elapsed);
            keys.iter().take(due).skip(closed).for_each(|key| shared.close_drained(*key));
            closed = due;
            let Some(next) = schedule.next(elapsed) else { break };
            let until = began.saturating_add(next);
            let is_empty = poll_fn(|cx| match emptied.poll(cx) {
                Poll::Ready(()) => Poll::Ready(true),
                Poll::Pending => timer.as_mut().poll_sleep(cx, until).map(|()| false),
            });
            if is_empty.await {
                break;
            }
        }
        let late = shared.cut_off();
        shared.nodes.leave();
        let until = timer.now().saturating_add(LEAVE_WITHIN);
        poll_fn(|cx| match shared.nodes.poll_left(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => timer.as_mut().poll_sleep(cx, until),
        })
        .await;
        let first = keys.last();
        let late_of_these = late.iter().filter(|late| first.is_some_and(|last| late.key <= *last)).count();
        DrainReport { in_time: keys.len() - late_of_these, late }
    }
}

impl Shared {
    /// Tells every member, and returns their keys in order.
    fn begin_drain(&self, within: Duration) -> Vec<ConnectionKey> {
        // A connection that joins from now on is closed by its join.
        self.change(|state, _| state.draining = Some(within));
        let mut keys = Vec::new();
        self.each_here(|seat| {
            keys.push(seat.key());
            self.change(|state, woken| {
                if state.registry.member(seat.key()).is_some() {
                    state.notices.tell(seat.key(), Notice::Draining { within }, woken);
                }
            });
        });
        keys.sort_unstable();
        keys
    }

    fn close_drained(&self, key: ConnectionKey) {
        let seat = self.look(|registry| registry.member(key).cloned());
        if let Some(seat) = seat {
            seat.outlet.clone().close(self.draining.clone());
        }
    }

    /// Cuts off those that are still here.
    fn cut_off(&self) -> Vec<Undrained> {
        let mut late = Vec::new();
        self.each_here(|seat| {
            let present = self.look(|registry| {
                registry.member(seat.key())?;
                registry.present(seat.key().slot)
            });
            let Some(present) = present else { return };
            let (unsent_messages, unsent_bytes) = seat.outlet.queued();
            let (key, age) = (seat.key(), self.age(seat));
            late.push(Undrained { key, user: present.user, age, unsent_messages, unsent_bytes });
            seat.outlet.cut_off();
        });
        late.sort_unstable_by_key(|late| late.key);
        late
    }
}

/// A task that waits until the hub is empty.
struct Emptied<'a> {
    shared: &'a Shared,
    slot: usize,
}

impl<'a> Emptied<'a> {
    fn new(shared: &'a Shared) -> Self {
        Self { shared, slot: shared.change(|state, _| state.emptied.insert(None)) }
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        self.shared.change(|state, woken| {
            if state.registry.is_empty() {
                return Poll::Ready(());
            }
            if let Some(slot) = state.emptied.get_mut(self.slot) {
                woken.register(slot, cx.waker());
            }
            Poll::Pending
        })
    }
}

impl Drop for Emptied<'_> {
    fn drop(&mut self) {
        let waker = self.shared.change(|state, _| state.emptied.try_remove(self.slot));
        drop(waker);
    }
}

impl fmt::Display for DrainReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { in_time, late } = self;
        write!(f, "connections that left in time: {in_time}, that were cut off: {}", late.len())?;
        late.iter().try_for_each(|late| write!(f, "\n{late}"))
    }
}

impl fmt::Display for Undrained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, user, age, unsent_messages, unsent_bytes } = self;
        write!(f, "connection {key}")?;
        if let Some(user) = user {
            write!(f, " of {}", user.escape_debug())?;
        }
        write!(f, ", here for {age:.1?}: {unsent_messages} messages of {unsent_bytes} bytes unsent")
    }
}
