//! The limit of a queue, and the tasks that wait for room in it.

use std::collections::VecDeque;
use std::task::{Context, Waker};
use std::time::Duration;

use endwell_core::Instant;

use crate::sync::Woken;
use crate::ws::OutletLimits;

/// The room of a queue: the room taken by messages, the room granted to tasks, and the tasks that wait for more, in
/// order of arrival.
pub(super) struct Room {
    limits: OutletLimits,
    messages: usize,
    bytes: usize,
    line: VecDeque<Waiter>,
    /// The next ticket. Tickets rise along the line.
    next: u64,
}

/// Room that could be given back.
#[derive(Clone, Copy, Default)]
pub(super) struct Freed {
    messages: usize,
    bytes: usize,
}

impl Freed {
    pub(super) fn add(&mut self, len: usize) {
        self.messages += 1;
        self.bytes = self.bytes.saturating_add(len);
    }
}

struct Waiter {
    ticket: u64,
    len: usize,
    timeout: Option<Timeout>,
    standing: Standing,
}

/// How long a task waits. The connection's task has the clock.
pub(super) enum Timeout {
    /// This long, counted from when the clock is first looked at.
    After(Duration),
    At(Instant),
}

enum Standing {
    Waiting(Waker),
    Granted,
    Late,
}

/// The result of a task's wait.
pub(super) enum Turn {
    /// The wait continues.
    Pending,
    /// The room is granted.
    Granted,
    /// Its time is over.
    Late,
}

impl Room {
    pub(super) fn new(limits: OutletLimits) -> Self {
        Self { limits, messages: 0, bytes: 0, line: VecDeque::new(), next: 0 }
    }

    /// The bytes that are taken.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes room if no task waits.
    pub(super) fn try_take(&mut self, len: usize) -> bool {
        !self.is_waited_for() && self.try_take_first(len)
    }

    /// Takes room even if tasks wait. A message larger than the limit is accepted alone: it could never be sent
    /// otherwise.
    pub(super) fn try_take_first(&mut self, len: usize) -> bool {
        let fits = self.would_fit(len, Freed::default());
        if fits {
            self.messages += 1;
            self.bytes = self.bytes.saturating_add(len);
        }
        fits
    }

    /// True if there would be room after what is `freed` was given back.
    pub(super) fn would_fit(&self, len: usize, freed: Freed) -> bool {
        let messages = self.messages.saturating_sub(freed.messages);
        let bytes = self.bytes.saturating_sub(freed.bytes);
        messages == 0 || (messages < self.limits.messages && len <= self.limits.bytes.saturating_sub(bytes))
    }

    /// Gives room back. It is not granted to a task yet: see [`grant`](Self::grant).
    pub(super) fn give_back(&mut self, len: usize) {
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(len);
    }

    /// Grants room to waiting tasks, in order, until there is not enough for the next.
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

    /// Adds a waiting task. Returns its ticket.
    pub(super) fn join(&mut self, len: usize, timeout: Option<Timeout>, waker: Waker) -> u64 {
        let ticket = self.next;
        self.next += 1;
        self.line.push_back(Waiter { ticket, len, timeout, standing: Standing::Waiting(waker) });
        ticket
    }

    /// Returns the result of the wait with this ticket. The wait continues with `waker`.
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

    /// Leaves the line. Room that was granted, or that tasks behind waited for, goes to them.
    pub(super) fn leave(&mut self, ticket: u64, woken: &mut Woken) {
        let Some(waiter) = self.find(ticket).and_then(|index| self.line.remove(index)) else { return };
        match waiter.standing {
            Standing::Granted => self.give_back(waiter.len),
            Standing::Waiting(waker) => woken.discard(Some(waker)),
            Standing::Late => {}
        }
        self.grant(woken);
    }

    /// Wakes all waiting tasks, since nothing more is accepted.
    pub(super) fn wake_all(&mut self, woken: &mut Woken) {
        for waiter in &mut self.line {
            if waiter.waits() {
                waiter.set(Standing::Late, woken);
            }
        }
    }

    /// Ends the waits whose time is over, and returns when the next one ends.
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
