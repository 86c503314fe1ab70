//! The queue before the one writer of a WebSocket.
//!
//! Producers take this lock and never the connection's; the connection's task takes its own first and then this one.
//! So a producer never waits for a system call.

mod flush;
mod room;
mod writer;

use std::collections::VecDeque;
use std::sync::Arc;
#[cfg(feature = "hub")]
use std::sync::Weak;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use endwell_core::ws::Close;
use slab::Slab;

use crate::Ended;
use crate::connection::Link;
use crate::sync::{Lock, Woken};
use crate::ws::Message;
use flush::Flushes;
pub(crate) use flush::Position;
use room::{Freed, Room, Timeout, Turn};
pub(crate) use writer::Next;

/// The messages before a writer, in order, bounded; and the tasks that wait for room, for the wire, or for the end.
pub(crate) struct Queue(Lock<State>);

struct State {
    entries: VecDeque<Entry>,
    room: Room,
    /// The number of accepted messages. Each has its number, from 1 on.
    accepted: u64,
    /// The number of the last message known to be with the transport.
    handed: u64,
    /// The number of messages dropped to make room, or for lack of it.
    lagged: u64,
    /// Accepted messages that are no longer sent.
    cut: Vec<Message>,
    /// The number of the first of those, also after they were returned.
    cut_from: Option<u64>,
    flushes: Flushes,
    watchers: Slab<Waker>,
    /// The connection's task, if it has found nothing here.
    writer: Option<Waker>,
    /// The same task, for a time limit to keep.
    timekeeper: Option<Waker>,
    phase: Phase,
    /// The connection is to end at once.
    is_cut_off: bool,
    /// The connection, until it has ended: then its memory goes.
    #[cfg(feature = "hub")]
    link: Weak<Link>,
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
    /// The sender relies on it.
    Always,
    /// The sender allows it to be dropped.
    WhileThereIsRoom,
}

/// Whether messages are accepted.
enum Phase {
    Open,
    /// No message is accepted any more. The Close is written after the last one.
    Closing(Close),
    /// The Close is written.
    Closed,
    Ended(Ended),
}

/// Why a message is not accepted. Holds the message.
pub(super) enum Refused {
    /// There is no room now.
    Full(Message),
    /// Its time is over.
    Late(Message),
    /// The connection is closing, or has ended in this way.
    Over(Message, Option<Ended>),
}

impl Queue {
    pub(crate) fn new(link: &Arc<Link>) -> Self {
        Self(Lock::new(State {
            entries: VecDeque::new(),
            room: Room::new(link.shared.settings.outlet_limits),
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
            is_cut_off: false,
            #[cfg(feature = "hub")]
            link: Arc::downgrade(link),
        }))
    }

    /// How long the peer has sent nothing. `None` if the connection is at work at this moment, or has ended.
    #[cfg(feature = "hub")]
    pub(super) fn silent_for(&self) -> Option<Duration> {
        let link = self.0.lock().link.upgrade()?;
        link.silent_for()
    }

    /// Accepts a message if there is room for it and no task waits for room.
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

    /// Accepts a message once there is room for it. Until then, `ticket` is the position among the waiting tasks.
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

    /// Removes a task that waited for room.
    pub(super) fn withdraw(&self, ticket: u64) {
        self.change(|state, woken| state.withdraw(Some(ticket), woken));
    }

    /// Accepts a message that may be dropped for newer ones, and drops older ones of that kind until there is room for
    /// it. Returns how many were dropped.
    pub(super) fn push_over(&self, message: Message) -> (u64, Result<(), Refused>) {
        self.change(|state, woken| {
            let message = match state.accepting(message) {
                Ok(message) => message,
                Err(over) => return (0, Err(over)),
            };
            let len = message.len();
            if state.room.try_take(len) {
                state.push(message, Keep::WhileThereIsRoom, woken);
                return (0, Ok(()));
            }
            // Drops nothing unless that makes enough room.
            let Some(count) = state.in_the_way_of(len) else {
                state.lagged += 1;
                return (0, Err(Refused::Full(message)));
            };
            let mut dropped = 0;
            while dropped < count && state.drop_oldest() {
                dropped += 1;
            }
            // The room that was made is for this message, although other tasks wait.
            let result = if state.room.try_take_first(len) {
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

    /// Counts a message that was dropped for lack of room.
    pub(super) fn count_lagged(&self) {
        self.change(|state, _| state.lagged += 1);
    }

    /// The number of dropped messages.
    pub(super) fn lagged(&self) -> u64 {
        self.change(|state, _| state.lagged)
    }

    /// Closes after what was accepted, unless it is closing already.
    pub(super) fn close(&self, close: Close) {
        self.change(|state, woken| state.close(close, woken));
    }

    /// Closes before what was accepted, which is no longer sent. `false` if it is closing already.
    pub(super) fn close_now(&self, close: Close) -> bool {
        self.change(|state, woken| {
            let Phase::Open = state.phase else { return false };
            state.cut();
            state.close(close, woken);
            true
        })
    }

    /// Returns the accepted messages that are no longer sent, each once.
    pub(super) fn unsent(&self) -> Vec<Message> {
        self.change(|state, _| std::mem::take(&mut state.cut))
    }

    /// Waits for the end, and returns how the connection ended. `key` is the slot of the waiting task.
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

    /// Wakes `waker` at the end. Returns its slot; `None` if the connection has ended.
    #[cfg(feature = "hub")]
    pub(super) fn watch(&self, waker: Waker) -> Option<usize> {
        self.change(|state, woken| {
            if let Phase::Ended(_) = state.phase {
                woken.discard(Some(waker));
                return None;
            }
            if state.watchers.capacity() == 0 {
                // Mostly the only one.
                state.watchers = Slab::with_capacity(1);
            }
            Some(state.watchers.insert(waker))
        })
    }

    /// Lets the connection's task end the connection, whatever it does.
    #[cfg(feature = "hub")]
    pub(super) fn cut_off(&self) {
        self.change(|state, woken| {
            state.is_cut_off = true;
            woken.take(&mut state.timekeeper);
        });
    }

    /// The messages that wait, and their bytes.
    #[cfg(feature = "hub")]
    pub(super) fn queued(&self) -> (usize, usize) {
        self.change(|state, _| (state.entries.len(), state.room.bytes()))
    }

    /// Removes a task that waited for the end.
    pub(super) fn unwatch(&self, key: usize) {
        self.change(|state, woken| state.unwatch(Some(key), woken));
    }

    /// Waits until the transport has taken all that was accepted so far. `key` is the slot of the waiting task.
    pub(super) fn poll_flush(&self, cx: &Context<'_>, key: &mut Option<usize>) -> Poll<Result<(), Ended>> {
        self.change(|state, woken| {
            let handed = if let Some(key) = *key {
                state.flushes.look(key, cx, woken)
            } else if state.handed >= state.accepted {
                true
            } else {
                *key = Some(state.flushes.join(state.accepted, cx.waker().clone()));
                // The writer checks whether it is there already.
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

    /// Removes a task that waited for the transport.
    pub(super) fn leave_flush(&self, key: usize) {
        self.change(|state, woken| state.flushes.leave(key, woken));
    }

    /// Runs `change`, and wakes the tasks that it collects once the lock is released.
    fn change<R>(&self, change: impl FnOnce(&mut State, &mut Woken) -> R) -> R {
        // Dropped after the lock.
        let mut woken = Woken::default();
        let mut state = self.0.lock();
        change(&mut state, &mut woken)
    }
}

impl State {
    /// Returns the message if no message is accepted any more.
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

    /// The number of oldest droppable messages to drop, so that a message of `len` bytes has room. `None` if it would
    /// have no room even then.
    fn in_the_way_of(&self, len: usize) -> Option<u64> {
        let (mut count, mut freed) = (0, Freed::default());
        for entry in self.entries.iter().filter(|entry| entry.keep == Keep::WhileThereIsRoom) {
            count += 1;
            freed.add(entry.message.len());
            if self.room.would_fit(len, freed) {
                return Some(count);
            }
        }
        None
    }

    /// Drops the oldest droppable message. `false` if there is no such message.
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

    /// Moves what was accepted to what is no longer sent. Nothing more is accepted, so no memory is kept for it.
    fn cut(&mut self) {
        self.cut_from = self.cut_from.or(self.entries.front().map(|entry| entry.number));
        for entry in std::mem::take(&mut self.entries) {
            self.room.give_back(entry.message.len());
            self.cut.push(entry.message);
        }
    }
}
