//! The tasks that wait until the transport has taken a message.

use std::task::{Context, Waker};

use endwell_core::Io;
use slab::Slab;

use crate::sync::Woken;

/// The waiting tasks, and the message that each waits for.
#[derive(Default)]
pub(super) struct Flushes(Slab<Flush>);

struct Flush {
    stage: Stage,
    waker: Waker,
}

/// How far a message is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// In the queue, with this number.
    Queued(u64),
    /// In the output, before this position.
    Written(u64),
    /// With the transport.
    Handed,
}

/// The position of the output: the bytes that the transport has taken since the connection began, and those written in
/// total.
#[derive(Clone, Copy, Default)]
pub(crate) struct Position {
    pub(crate) sent: u64,
    pub(crate) written: u64,
}

impl Position {
    pub(crate) fn of(io: &Io<'_>) -> Self {
        let queued = u64::try_from(io.queued()).unwrap_or(u64::MAX);
        Self { sent: io.sent(), written: io.sent().saturating_add(queued) }
    }
}

impl Flushes {
    /// Waits for the message with this number.
    pub(super) fn join(&mut self, number: u64, waker: Waker) -> usize {
        self.0.insert(Flush { stage: Stage::Queued(number), waker })
    }

    /// True once the message is with the transport, which ends this wait.
    pub(super) fn look(&mut self, key: usize, cx: &Context<'_>, woken: &mut Woken) -> bool {
        match self.0.get_mut(key) {
            Some(flush) if flush.stage != Stage::Handed => {
                if !flush.waker.will_wake(cx.waker()) {
                    woken.discard(Some(std::mem::replace(&mut flush.waker, cx.waker().clone())));
                }
                false
            }
            Some(_) | None => {
                self.leave(key, woken);
                true
            }
        }
    }

    /// Removes a wait.
    pub(super) fn leave(&mut self, key: usize, woken: &mut Woken) {
        woken.discard(self.0.try_remove(key).map(|flush| flush.waker));
    }

    /// Notes that the messages up to number `left` have left the queue, and that the output is at `position`.
    pub(super) fn settle(&mut self, left: u64, position: Position, woken: &mut Woken) {
        for (_, flush) in &mut self.0 {
            if let Stage::Queued(number) = flush.stage {
                if number <= left {
                    flush.stage = Stage::Written(position.written);
                }
            }
            if let Stage::Written(until) = flush.stage {
                if until <= position.sent {
                    flush.stage = Stage::Handed;
                    woken.add(flush.waker.clone());
                }
            }
        }
    }

    /// Wakes all waiting tasks, since nothing more is sent.
    pub(super) fn wake_all(&mut self, woken: &mut Woken) {
        for (_, flush) in &self.0 {
            woken.add(flush.waker.clone());
        }
    }
}
