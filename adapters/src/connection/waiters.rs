//! The tasks that wait for something that the driver sees.

use std::num::NonZeroUsize;
use std::task::{Context, Waker};

use slab::Slab;

use super::Connection;
use crate::sync::Woken;

/// Each right of a connection waits in its own slot, so that none takes another's.
#[derive(Default)]
pub(crate) struct Waiters {
    /// For input: the handler, which the driver polls itself, or
    handler: bool,
    /// another task.
    pub(crate) reader: Option<Waker>,
    /// For room in the output, before more input is taken.
    pub(crate) reply: Option<Box<ForOutput>>,
    /// For room in the output, or for the transport.
    pub(crate) writer: Option<Box<ForOutput>>,
    /// Which side gets the room that the transport makes.
    pub(crate) turn: Turn,
    /// The length of the message for which there was room when its writer was woken. Outlets may have taken the room
    /// since.
    pub(crate) promised: Option<Promise>,
    /// For the end.
    watchers: Option<Box<Slab<Waker>>>,
}

/// A task that waits for the output. Boxed, since few connections have one.
pub(crate) struct ForOutput {
    waker: Waker,
    pub(crate) until: Until,
}

/// Room for a message of a length.
#[derive(Clone, Copy)]
pub(crate) struct Promise(NonZeroUsize);

impl Promise {
    fn of(len: usize) -> Self {
        Self(NonZeroUsize::MIN.saturating_add(len))
    }

    /// True if there is room for a message of `len` bytes.
    pub(crate) fn covers(self, len: usize) -> bool {
        len < self.0.get()
    }
}

/// The side that fills the output next, if both have more than it takes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Outlets, up to half of the high-water mark.
    #[default]
    Outlets,
    /// A right of the connection that waits: one message.
    Rights,
}

/// The side that waits for the output.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    Reader,
    Writer,
}

/// The condition to wait for.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// The output is below its high-water mark, and this many bytes fit.
    Room(usize),
    /// The transport has taken all output.
    Flushed,
    /// The transport has taken all output, and outlets hold nothing more.
    Drained,
    /// A message of this many bytes fits: below half of the high-water mark, and within the limit or alone.
    Fits(usize),
    /// The server asks for a withheld body, or has responded.
    Wanted,
    /// The connection has ended. The transport wakes the task for anything else.
    Ended,
}

impl Waiters {
    /// Adds a task that waits for input. False if it already waited.
    pub(crate) fn read(&mut self, cx: &Context<'_>, woken: &mut Woken) -> bool {
        self.handler = false;
        woken.register(&mut self.reader, cx.waker())
    }

    /// The handler waits for input. False if it already waited.
    pub(crate) fn read_in_handler(&mut self, woken: &mut Woken) -> bool {
        woken.discard(self.reader.take());
        !std::mem::replace(&mut self.handler, true)
    }

    /// True if a task waits for input.
    pub(crate) fn is_reading(&self) -> bool {
        self.handler || self.reader.is_some()
    }

    /// True if it was the handler that waited for input.
    pub(crate) fn stop_handler_reading(&mut self) -> bool {
        std::mem::take(&mut self.handler)
    }

    /// Removes the task that waits for input.
    pub(crate) fn stop_reading(&mut self, woken: &mut Woken) {
        self.handler = false;
        woken.discard(self.reader.take());
    }

    /// Adds a task that waits for the output. False if it already waited.
    pub(crate) fn write(&mut self, side: Side, until: Until, cx: &Context<'_>, woken: &mut Woken) -> bool {
        let slot = match side {
            Side::Reader => &mut self.reply,
            Side::Writer => &mut self.writer,
        };
        if let Some(waiting) = slot {
            waiting.until = until;
            let is_new = !waiting.waker.will_wake(cx.waker());
            if is_new {
                woken.discard(Some(std::mem::replace(&mut waiting.waker, cx.waker().clone())));
            }
            return is_new;
        }
        *slot = Some(ForOutput { waker: cx.waker().clone(), until }.into());
        true
    }

    /// Adds a task that waits for the end. `key` is its slot, as long as it has one. False if it already waited.
    pub(crate) fn watch(&mut self, key: &mut Option<usize>, cx: &Context<'_>, woken: &mut Woken) -> bool {
        let watchers = self.watchers.get_or_insert_default();
        match key.and_then(|key| watchers.get_mut(key)) {
            Some(known) if known.will_wake(cx.waker()) => return false,
            Some(known) => woken.discard(Some(std::mem::replace(known, cx.waker().clone()))),
            None => *key = Some(watchers.insert(cx.waker().clone())),
        }
        true
    }

    /// Wakes every waiter but the reader. A watcher keeps its slot, because only the closing may have ended, not the
    /// connection.
    pub(crate) fn wake_others(&mut self, woken: &mut Woken) {
        for waiting in [self.reply.take(), self.writer.take()].into_iter().flatten() {
            woken.add(waiting.waker);
        }
        self.wake_watchers(woken);
    }

    /// Wakes the tasks that wait for the end.
    pub(crate) fn wake_watchers(&self, woken: &mut Woken) {
        for (_, watcher) in self.watchers.iter().flat_map(|watchers| watchers.iter()) {
            woken.add(watcher.clone());
        }
    }

    /// True if a task waits for the end.
    pub(crate) fn are_watching(&self) -> bool {
        self.watchers.is_some()
    }

    /// Frees the slot of a watcher.
    fn unwatch(&mut self, key: usize) -> Option<Waker> {
        let watchers = self.watchers.as_mut()?;
        let watcher = watchers.try_remove(key);
        if watchers.is_empty() {
            self.watchers = None;
        }
        watcher
    }
}

impl Connection {
    /// Wakes the tasks whose condition on the output is met.
    pub(crate) fn wake_writers(&mut self) {
        let until = |slot: &Option<Box<ForOutput>>| slot.as_ref().map(|waiting| waiting.until);
        let (reply, write) = (until(&self.waiters.reply), until(&self.waiters.writer));
        let replies = reply.is_some_and(|until| self.is_met(until));
        let writes = write.is_some_and(|until| self.is_met(until));
        if replies || writes {
            self.waiters.turn = Turn::Outlets;
        }
        if replies {
            self.waiters.reply.take().into_iter().for_each(|waiting| self.woken.add(waiting.waker));
        }
        if writes {
            if let Some(waiting) = self.waiters.writer.take() {
                let ForOutput { waker, until } = *waiting;
                if let Until::Fits(len) = until {
                    self.waiters.promised = Some(Promise::of(len));
                }
                self.woken.add(waker);
            }
        }
    }

    /// Removes a task that waited for the end.
    pub(crate) fn unwatch(&mut self, key: usize) {
        let watcher = self.waiters.unwatch(key);
        self.woken.discard(watcher);
    }
}
