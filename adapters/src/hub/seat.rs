//! What a hub keeps of a member, shared with its guard and its connection.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use super::shared::Shared;
use super::{ConnectionKey, Departure, Notice};
use crate::sync::{Lock, Woken};
use crate::ws::Outlet;

/// A member's place. As a waker, it is woken at the end of the connection, which then leaves.
pub(super) struct Seat {
    pub(super) shared: Arc<Shared>,
    pub(super) key: ConnectionKey,
    pub(super) outlet: Outlet,
    pub(super) since: Instant,
    /// Boxed, since few members are told anything.
    notices: Lock<Option<Box<Notices>>>,
}

#[derive(Default)]
struct Notices {
    untold: Vec<Notice>,
    waker: Option<Waker>,
}

impl Seat {
    pub(super) fn new(shared: &Arc<Shared>, key: ConnectionKey, outlet: Outlet) -> Self {
        let shared = Arc::clone(shared);
        Self { shared, key, outlet, since: Instant::now(), notices: Lock::new(None) }
    }

    /// Tells the member something.
    pub(super) fn tell(&self, notice: Notice) {
        self.change(|notices, _| {
            // A program that does not ask is told little: each kind once.
            let is_same = |known: &Notice| std::mem::discriminant(known) == std::mem::discriminant(&notice);
            notices.untold.retain(|known| !is_same(known));
            notices.untold.push(notice);
        });
        self.wake_told();
    }

    /// Wakes the task that waits to be told something: the member has left.
    pub(super) fn wake_told(&self) {
        let waker = self.notices.lock().as_mut().and_then(|notices| notices.waker.take());
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// What the member is told next.
    pub(super) fn poll_told(&self, cx: &Context<'_>) -> Poll<Notice> {
        let next = self.change(|notices, woken| {
            if notices.untold.is_empty() {
                woken.register(&mut notices.waker, cx.waker());
                None
            } else {
                Some(notices.untold.remove(0))
            }
        });
        if let Some(notice) = next {
            return Poll::Ready(notice);
        }
        // Behind the waker: whatever removes the member from now on wakes it.
        let is_here = self.shared.look(|registry| registry.member(self.key).is_some());
        if is_here { Poll::Pending } else { Poll::Ready(Notice::Left) }
    }

    fn change<R>(&self, change: impl FnOnce(&mut Notices, &mut Woken) -> R) -> R {
        // Dropped after the lock.
        let mut woken = Woken::default();
        let mut notices = self.notices.lock();
        change(notices.get_or_insert_default(), &mut woken)
    }
}

impl Wake for Seat {
    fn wake(self: Arc<Self>) {
        self.shared.leave(self.key, Departure::Ended);
    }
}
