//! The bound of a queue, and the line of those who wait for room.

use std::collections::VecDeque;
use std::task::{Context, Waker};
use std::time::Duration;

use endwell_core::Instant;

use crate::sync::Woken;
use crate::ws::OutletLimits;

/// The room of a queue: what is taken of it, by messages and by those who were granted some, and who waits for more, in
/// the order in which they came.
pub(super) struct Room {
    limits: OutletLimits,
    messages: usize,
    bytes: usize,
    line: VecDeque<Waiter>,
    /// The next ticket. They rise along the line.
    next: u64,
}

struct Waiter {
    ticket: u64,
    len: usize,
    timeout: Option<Timeout>,
    standing: Standing,
}

/// How long somebody waits. The connection's task has the clock.
pub(super) enum Timeout {
    /// So long from when the clock is looked at first.
    After(Duration),
    At(Instant),
}

enum Standing {
    Waiting(Waker),
    Granted,
    Late,
}

/// What has become of somebody's wait.
pub(super) enum Turn {
    /// It goes on.
    Pending,
    /// The room is theirs.
    Granted,
    /// Its time is over.
    Late,
}

impl Room {
    pub(super) fn new(limits: OutletLimits) -> Self {
        Self { limits, messages: 0, bytes: 0, line: VecDeque::new(), next: 0 }
    }

    /// Bytes that are taken.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes room that is there for all: nobody waits.
    pub(super) fn try_take(&mut self, len: usize) -> bool {
        !self.is_waited_for() && self.try_take_first(len)
    }

    /// Takes room whoever waits. A message larger than the bound is let in alone: it could never be sent otherwise.
    pub(super) fn try_take_first(&mut self, len: usize) -> bool {
        let fits = self.messages == 0
            || (self.messages < self.limits.messages && len <= self.limits.bytes.saturating_sub(self.bytes));
        if fits {
            self.messages += 1;
            self.bytes = self.bytes.saturating_add(len);
        }
        fits
    }

    /// Gives room back. It is not granted to anybody yet: see [`grant`](Self::grant).
    pub(super) fn give_back(&mut self, len: usize) {
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(len);
    }

    /// Grants room to those who wait, in order, until it does not reach for the next.
    pub(super) fn grant(&mut self, woken: &mut Woken) {
        while let Some(index) = self.line.iter().position(Waiter::waits) {
            let Some(len) = self.line.get(index).map(|waiter| waiter.len) else { return };
            if !self.try_take_first(len) {
                return;
            }
            if let Some(waiter) = self.line.get_mut(index) {
                waiter.set(Standing::Granted, woken);
            }
        }
    }

    /// Somebody waits from now on: their ticket.
    pub(super) fn join(&mut self, len: usize, timeout: Option<Timeout>, waker: Waker) -> u64 {
        let ticket = self.next;
        self.next += 1;
        self.line.push_back(Waiter { ticket, len, timeout, standing: Standing::Waiting(waker) });
        ticket
    }

    /// What has become of the wait with this ticket. It goes on with `waker`.
    pub(super) fn look(&mut self, ticket: u64, cx: &Context<'_>, woken: &mut Woken) -> Turn {
        match self.find(ticket).and_then(|index| self.line.get_mut(index)) {
            Some(Waiter { standing: Standing::Waiting(known), .. }) => {
                if !known.will_wake(cx.waker()) {
                    woken.discard(Some(std::mem::replace(known, cx.waker().clone())));
                }
                Turn::Pending
            }
            Some(Waiter { standing: Standing::Granted, .. }) => Turn::Granted,
            Some(Waiter { standing: Standing::Late, .. }) | None => Turn::Late,
        }
    }

    /// Leaves the line, with the room that was granted.
    pub(super) fn leave_with_room(&mut self, ticket: u64) {
        self.find(ticket).and_then(|index| self.line.remove(index));
    }

    /// Leaves the line. Room that was granted, or that others waited behind this one for, is theirs.
    pub(super) fn leave(&mut self, ticket: u64, woken: &mut Woken) {
        let Some(waiter) = self.find(ticket).and_then(|index| self.line.remove(index)) else { return };
        match waiter.standing {
            Standing::Granted => self.give_back(waiter.len),
            Standing::Waiting(waker) => woken.discard(Some(waker)),
            Standing::Late => {}
        }
        self.grant(woken);
    }

    /// Wakes everybody in the line: nothing is accepted any more.
    pub(super) fn wake_all(&mut self, woken: &mut Woken) {
        for waiter in &mut self.line {
            if waiter.waits() {
                waiter.set(Standing::Late, woken);
            }
        }
    }

    /// Ends the waits whose time is over, and says when the next is.
    pub(super) fn keep_time(&mut self, now: Instant, woken: &mut Woken) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        let mut ended = false;
        for waiter in &mut self.line {
            let (Some(timeout), Standing::Waiting(_)) = (&mut waiter.timeout, &waiter.standing) else {
                continue;
            };
            let at = match timeout {
                Timeout::After(duration) => now.saturating_add(*duration),
                Timeout::At(at) => *at,
            };
            *timeout = Timeout::At(at);
            if at <= now {
                waiter.set(Standing::Late, woken);
                ended = true;
            } else {
                next = Some(next.map_or(at, |next| next.min(at)));
            }
        }
        if ended {
            // The next in the line may need less.
            self.grant(woken);
        }
        next
    }

    fn is_waited_for(&self) -> bool {
        self.line.iter().any(Waiter::waits)
    }

    fn find(&self, ticket: u64) -> Option<usize> {
        self.line.binary_search_by_key(&ticket, |waiter| waiter.ticket).ok()
    }
}

impl Waiter {
    fn waits(&self) -> bool {
        matches!(self.standing, Standing::Waiting(_))
    }

    fn set(&mut self, standing: Standing, woken: &mut Woken) {
        if let Standing::Waiting(waker) = std::mem::replace(&mut self.standing, standing) {
            woken.add(waker);
        }
    }
}
