//! Those who wait until a message has been handed to the transport.

use std::task::{Context, Waker};

use slab::Slab;

use crate::sync::Woken;

/// Who waits for which message.
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

/// How far the output is: bytes that the transport has taken since the connection began, and those that have been
/// written in all.
#[derive(Clone, Copy)]
pub(crate) struct Position {
    pub(crate) sent: u64,
    pub(crate) written: u64,
}

impl Flushes {
    /// Waits for the message with this number.
    pub(super) fn join(&mut self, number: u64, waker: Waker) -> usize {
        self.0.insert(Flush { stage: Stage::Queued(number), waker })
    }

    /// True once the message is with the transport; then this wait is over.
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

    /// Waits no longer.
    pub(super) fn leave(&mut self, key: usize, woken: &mut Woken) {
        woken.discard(self.0.try_remove(key).map(|flush| flush.waker));
    }

    /// The messages up to number `left` have left the queue, and the output is at `position`.
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

    /// Wakes everybody: nothing is handed over any more.
    pub(super) fn wake_all(&mut self, woken: &mut Woken) {
        for (_, flush) in &self.0 {
            woken.add(flush.waker.clone());
        }
    }
}
