//! The operations of the one writer of a queue: the connection's task.

use std::task::{Context, Waker};

use endwell_core::Instant;
use endwell_core::ws::Close;

use super::{Phase, Position, Queue, State};
use crate::Ended;
use crate::sync::Woken;
use crate::ws::Message;

/// What to write next.
pub(crate) enum Next {
    Message(Message),
    /// All that was accepted has been written.
    Close(Close),
    Nothing,
}

/// What a queue needs from a task that is about to wait.
#[derive(Default)]
pub(crate) struct Rest {
    /// When the time of a waiting task is over.
    pub(crate) deadline: Option<Instant>,
    /// The bytes held.
    pub(crate) bytes: usize,
    /// The connection is to end at once.
    pub(crate) is_cut_off: bool,
}

impl Queue {
    /// True if nothing is left to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().entries.is_empty()
    }

    /// Returns the next message, if `fits` accepts its length. Without a message, `writer` is woken when there is
    /// something to write.
    pub(crate) fn next(
        &self,
        fits: impl FnOnce(usize) -> bool,
        position: Position,
        writer: Option<&Waker>,
        woken: &mut Woken,
    ) -> Next {
        let mut state = self.0.lock();
        if let Phase::Ended(_) = state.phase {
            // An outlet that lives on must not keep the task alive.
            return Next::Nothing;
        }
        state.settle(position, woken);
        let Some(front) = state.entries.front() else {
            if let Phase::Closing(_) = state.phase {
                if let Phase::Closing(close) = std::mem::replace(&mut state.phase, Phase::Closed) {
                    return Next::Close(close);
                }
            }
            if let Some(waker) = writer {
                woken.register(&mut state.writer, waker);
            }
            return Next::Nothing;
        };
        if !fits(front.message.len()) {
            return Next::Nothing;
        }
        let Some(entry) = state.entries.pop_front() else { return Next::Nothing };
        state.room.give_back(entry.message.len());
        state.room.grant(woken);
        Next::Message(entry.message)
    }

    /// Prepares the task to wait: wakes the tasks whose message is with the transport, and those whose time is over.
    /// This task is woken when a new time limit must be kept.
    pub(crate) fn rest(&self, now: Instant, position: Position, cx: &Context<'_>, woken: &mut Woken) -> Rest {
        let mut state = self.0.lock();
        if let Phase::Ended(_) = state.phase {
            return Rest::default();
        }
        state.settle(position, woken);
        woken.register(&mut state.timekeeper, cx.waker());
        let deadline = state.room.keep_time(now, woken);
        Rest { deadline, bytes: state.room.bytes(), is_cut_off: state.is_cut_off }
    }

    /// Closes after what was accepted, unless it is closing already: the first caller has chosen the Close. Returns the
    /// Close if nothing is left and it can be written now.
    pub(crate) fn close_behind(&self, close: Close, woken: &mut Woken) -> Option<Close> {
        let mut state = self.0.lock();
        state.close(close.clone(), woken);
        match &state.phase {
            Phase::Closing(_) if !state.entries.is_empty() => None,
            Phase::Closing(first) => Some(first.clone()),
            Phase::Open | Phase::Closed | Phase::Ended(_) => Some(close),
        }
    }

    /// Notes that our Close is written: messages that are still here are no longer sent.
    pub(crate) fn closed(&self, woken: &mut Woken) {
        let mut state = self.0.lock();
        if let Phase::Open | Phase::Closing(_) = state.phase {
            state.phase = Phase::Closed;
            state.cut();
            state.room.wake_all(woken);
        }
    }

    /// Notes that the connection has ended, with the output at `position`: the transport takes nothing more.
    pub(crate) fn ended(&self, ended: &Ended, position: Position, woken: &mut Woken) {
        let mut state = self.0.lock();
        if let Phase::Ended(_) = state.phase {
            return;
        }
        state.settle(position, woken);
        state.phase = Phase::Ended(ended.clone());
        #[cfg(feature = "hub")]
        {
            state.link = std::sync::Weak::new();
        }
        state.cut();
        state.room.wake_all(woken);
        state.flushes.wake_all(woken);
        for watcher in state.watchers.drain() {
            woken.add(watcher);
        }
        // The task is over.
        woken.discard(state.writer.take());
        woken.discard(state.timekeeper.take());
    }
}

impl State {
    fn settle(&mut self, position: Position, woken: &mut Woken) {
        // Output that is discarded at the end counts as sent, but reached no peer.
        if let Phase::Ended(_) = self.phase {
            return;
        }
        let kept = self.entries.front().map(|first| first.number).or(self.cut_from);
        let left = kept.map_or(self.accepted, |first| first.saturating_sub(1));
        if position.sent >= position.written {
            self.handed = left;
        }
        self.flushes.settle(left, position, woken);
    }
}
