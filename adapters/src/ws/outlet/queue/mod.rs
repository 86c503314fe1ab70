//! What waits in front of the one writer of a WebSocket.
//!
//! Producers take this lock and never the connection's; the connection's task takes its own first and then this one.
//! So a producer never waits for a system call.

mod flush;
mod room;
mod writer;

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use endwell_core::ws::Close;
use slab::Slab;

use crate::Ended;
use crate::sync::{Lock, Woken};
use crate::ws::{Message, OutletLimits};
use flush::Flushes;
pub(crate) use flush::Position;
use room::{Room, Timeout, Turn};
pub(crate) use writer::Next;

/// Messages in front of a writer, in order, bounded; and those who wait for room, for the wire, or for the end.
pub(crate) struct Queue(Lock<State>);

struct State {
    entries: VecDeque<Entry>,
    room: Room,
    /// How many messages were accepted. Each has its number, from 1 on.
    accepted: u64,
    /// Up to which number they are known to be with the transport.
    handed: u64,
    /// How many were dropped, to make room or for want of it.
    lagged: u64,
    /// What was accepted and is not sent any more.
    cut: Vec<Message>,
    /// The number of the first of those, also once they were given back.
    cut_from: Option<u64>,
    flushes: Flushes,
    watchers: Slab<Waker>,
    /// The connection's task, when it has found nothing here.
    writer: Option<Waker>,
    /// The same, to be told of a time that is to be kept.
    timekeeper: Option<Waker>,
    phase: Phase,
}

/// A message that was accepted.
struct Entry {
    number: u64,
    message: Message,
    keep: Keep,
}

/// Whether a message may be dropped to make room for a newer one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Whoever sent it relies on it.
    Always,
    /// It was sent as one that may be.
    WhileThereIsRoom,
}

/// Whether messages are accepted.
enum Phase {
    Open,
    /// None is accepted any more. The Close is written behind the last one.
    Closing(Close),
    /// The Close is written.
    Closed,
    Ended(Ended),
}

/// Why a message is not accepted. It comes back.
pub(super) enum Refused {
    /// There is no room now.
    Full(Message),
    /// Its time is over.
    Late(Message),
    /// The connection is closing, or has ended like this.
    Over(Message, Option<Ended>),
}

impl Queue {
    pub(crate) fn new(limits: OutletLimits) -> Self {
        Self(Lock::new(State {
            entries: VecDeque::new(),
            room: Room::new(limits),
            accepted: 0,
            handed: 0,
            lagged: 0,
            cut: Vec::new(),
            cut_from: None,
            flushes: Flushes::default(),
            watchers: Slab::new(),
            writer: None,
            timekeeper: None,
            phase: Phase::Open,
        }))
    }

    /// Accepts a message if there is room for it and nobody waits for that.
    pub(super) fn try_push(&self, message: Message) -> Result<(), Refused> {
        self.change(|state, woken| {
            let message = state.accepting(message)?;
            if !state.room.try_take(message.len()) {
                return Err(Refused::Full(message));
            }
            state.push(message, Keep::Always, woken);
            Ok(())
        })
    }

    /// Accepts a message once there is room for it. As long as there is none, `ticket` is the place in the line.
    pub(super) fn poll_push(
        &self,
        cx: &Context<'_>,
        message: Message,
        ticket: &mut Option<u64>,
        timeout: Option<Duration>,
    ) -> Result<(), Refused> {
        self.change(|state, woken| {
            let message = match state.accepting(message) {
                Ok(message) => message,
                Err(over) => {
                    state.withdraw(ticket.take(), woken);
                    return Err(over);
                }
            };
            let Some(place) = *ticket else {
                if state.room.try_take(message.len()) {
                    state.push(message, Keep::Always, woken);
                    return Ok(());
                }
                *ticket =
                    Some(state.room.join(message.len(), timeout.map(Timeout::After), cx.waker().clone()));
                if timeout.is_some() {
                    woken.take(&mut state.timekeeper);
                }
                return Err(Refused::Full(message));
            };
            match state.room.look(place, cx, woken) {
                Turn::Pending => return Err(Refused::Full(message)),
                Turn::Granted => {
                    state.room.leave_with_room(place);
                    state.push(message, Keep::Always, woken);
                }
                Turn::Late => {
                    state.withdraw(ticket.take(), woken);
                    return Err(Refused::Late(message));
                }
            }
            *ticket = None;
            Ok(())
        })
    }

    /// Somebody waits for room no longer.
    pub(super) fn withdraw(&self, ticket: u64) {
        self.change(|state, woken| state.withdraw(Some(ticket), woken));
    }

    /// Accepts a message that may be dropped for newer ones, and drops older ones of that kind until there is room for
    /// it. How many were dropped is in the result.
    pub(super) fn push_over(&self, message: Message) -> (u64, Result<(), Refused>) {
        self.change(|state, woken| {
            let message = match state.accepting(message) {
                Ok(message) => message,
                Err(over) => return (0, Err(over)),
            };
            let mut dropped = 0;
            let mut has_room = state.room.try_take(message.len());
            while !has_room && state.drop_oldest() {
                dropped += 1;
                // The room that was made is for this message, whoever waits for more.
                has_room = state.room.try_take_first(message.len());
            }
            let result = if has_room {
                state.push(message, Keep::WhileThereIsRoom, woken);
                Ok(())
            } else {
                state.lagged += 1;
                Err(Refused::Full(message))
            };
            state.room.grant(woken);
            (dropped, result)
        })
    }

    /// A message was dropped for want of room.
    pub(super) fn count_lagged(&self) {
        self.change(|state, _| state.lagged += 1);
    }

    /// How many messages were dropped.
    pub(super) fn lagged(&self) -> u64 {
        self.change(|state, _| state.lagged)
    }

    /// Closes behind what was accepted, unless it is closing already.
    pub(super) fn close(&self, close: Close) {
        self.change(|state, woken| state.close(close, woken));
    }

    /// Closes before what was accepted, which is not sent any more. `false`: it is closing already.
    pub(super) fn close_now(&self, close: Close) -> bool {
        self.change(|state, woken| {
            let Phase::Open = state.phase else { return false };
            state.cut();
            state.close(close, woken);
            true
        })
    }

    /// What was accepted and is not sent any more. Each message is given out once.
    pub(super) fn unsent(&self) -> Vec<Message> {
        self.change(|state, _| std::mem::take(&mut state.cut))
    }

    /// How the connection ended, once it has. `key`: of those who wait for it.
    pub(super) fn poll_closed(&self, cx: &Context<'_>, key: &mut Option<usize>) -> Poll<Ended> {
        self.change(|state, woken| {
            if let Phase::Ended(ended) = &state.phase {
                let ended = ended.clone();
                state.unwatch(key.take(), woken);
                return Poll::Ready(ended);
            }
            match key.and_then(|key| state.watchers.get_mut(key)) {
                Some(known) if known.will_wake(cx.waker()) => {}
                Some(known) => woken.discard(Some(std::mem::replace(known, cx.waker().clone()))),
                None => *key = Some(state.watchers.insert(cx.waker().clone())),
            }
            Poll::Pending
        })
    }

    /// Somebody waits for the end no longer.
    pub(super) fn unwatch(&self, key: usize) {
        self.change(|state, woken| state.unwatch(Some(key), woken));
    }

    /// Waits until all that has been accepted so far is with the transport. `key`: of those who wait for that.
    pub(super) fn poll_flush(&self, cx: &Context<'_>, key: &mut Option<usize>) -> Poll<Result<(), Ended>> {
        self.change(|state, woken| {
            let handed = if let Some(key) = *key {
                state.flushes.look(key, cx, woken)
            } else if state.handed >= state.accepted {
                true
            } else {
                *key = Some(state.flushes.join(state.accepted, cx.waker().clone()));
                // The writer looks whether it is there already.
                woken.take(&mut state.writer);
                woken.take(&mut state.timekeeper);
                false
            };
            if handed {
                *key = None;
                return Poll::Ready(Ok(()));
            }
            match &state.phase {
                Phase::Ended(ended) => {
                    let ended = ended.clone();
                    state.flushes.leave(key.take().unwrap_or(usize::MAX), woken);
                    Poll::Ready(Err(ended))
                }
                Phase::Open | Phase::Closing(_) | Phase::Closed => Poll::Pending,
            }
        })
    }

    /// Somebody waits for the transport no longer.
    pub(super) fn leave_flush(&self, key: usize) {
        self.change(|state, woken| state.flushes.leave(key, woken));
    }

    /// Runs `change`, and wakes whom it woke when the lock is free again.
    fn change<R>(&self, change: impl FnOnce(&mut State, &mut Woken) -> R) -> R {
        // Dropped after the lock.
        let mut woken = Woken::default();
        let mut state = self.0.lock();
        change(&mut state, &mut woken)
    }
}

impl State {
    /// Gives the message back if none is accepted any more.
    fn accepting(&self, message: Message) -> Result<Message, Refused> {
        match &self.phase {
            Phase::Open => Ok(message),
            Phase::Closing(_) | Phase::Closed => Err(Refused::Over(message, None)),
            Phase::Ended(ended) => Err(Refused::Over(message, Some(ended.clone()))),
        }
    }

    /// Accepts a message whose room is taken.
    fn push(&mut self, message: Message, keep: Keep, woken: &mut Woken) {
        self.accepted += 1;
        self.entries.push_back(Entry { number: self.accepted, message, keep });
        woken.take(&mut self.writer);
    }

    /// Drops the oldest message that may be. `false`: there is none.
    fn drop_oldest(&mut self) -> bool {
        let oldest = self.entries.iter().position(|entry| entry.keep == Keep::WhileThereIsRoom);
        let Some(dropped) = oldest.and_then(|index| self.entries.remove(index)) else { return false };
        self.room.give_back(dropped.message.len());
        self.lagged += 1;
        true
    }

    fn withdraw(&mut self, ticket: Option<u64>, woken: &mut Woken) {
        if let Some(ticket) = ticket {
            self.room.leave(ticket, woken);
        }
    }

    fn unwatch(&mut self, key: Option<usize>, woken: &mut Woken) {
        woken.discard(key.and_then(|key| self.watchers.try_remove(key)));
    }

    fn close(&mut self, close: Close, woken: &mut Woken) {
        if let Phase::Open = self.phase {
            self.phase = Phase::Closing(close);
            self.room.wake_all(woken);
            woken.take(&mut self.writer);
        }
    }

    /// What was accepted is not sent any more. Nothing more is, so that no memory is kept for it.
    fn cut(&mut self) {
        self.cut_from = self.cut_from.or(self.entries.front().map(|entry| entry.number));
        for entry in std::mem::take(&mut self.entries) {
            self.room.give_back(entry.message.len());
            self.cut.push(entry.message);
        }
    }
}
