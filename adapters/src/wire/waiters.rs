//! Those who wait for something that the driver sees.

use std::task::{Context, Waker};

use slab::Slab;

use super::Wire;
use crate::sync::Woken;

/// Each right of a connection waits in a place of its own, so that none takes another's.
#[derive(Default)]
pub(super) struct Waiters {
    /// For input.
    pub(super) reader: Option<Waker>,
    /// Whoever has polled the socket last takes messages in pieces. A poll for a whole one would skip the rest of one that is
    /// begun.
    pub(super) takes_pieces: bool,
    /// For room in the output, before more input is taken.
    pub(super) reply: Option<(Waker, Until)>,
    /// For room in the output, or for the transport.
    pub(super) writer: Option<(Waker, Until)>,
    /// Whose the room is that the transport makes.
    pub(super) turn: Turn,
    /// The length of the message for which there was room when its writer was woken. Outlets may have taken it since.
    pub(super) promised: Option<usize>,
    /// For the end.
    watchers: Option<Box<Slab<Waker>>>,
}

/// Who is next to fill the output, where both have more than it takes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Turn {
    /// Outlets, up to half of the high-water mark.
    #[default]
    Outlets,
    /// Whoever has a right of the connection and waits: one message.
    Rights,
}

/// Who waits for the output.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    Reader,
    Writer,
}

/// What is waited for.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// The output is below its high-water mark, and so many bytes fit.
    Room(usize),
    /// The transport has taken everything that is in the output.
    Flushed,
    /// And outlets hold nothing more.
    Drained,
    /// A message of so many bytes fits: below half of the high-water mark, and within the bound or alone.
    Fits(usize),
    /// The server wants a body that is withheld, or has answered.
    Wanted,
}

impl Waiters {
    /// Somebody waits for input. False: they did already.
    pub(super) fn read(&mut self, cx: &Context<'_>, woken: &mut Woken) -> bool {
        woken.register(&mut self.reader, cx.waker())
    }

    /// Nobody waits for input any more.
    pub(super) fn stop_reading(&mut self, woken: &mut Woken) {
        woken.discard(self.reader.take());
    }

    /// Somebody waits for the output. False: they did already.
    pub(super) fn write(&mut self, side: Side, until: Until, cx: &Context<'_>, woken: &mut Woken) -> bool {
        let slot = match side {
            Side::Reader => &mut self.reply,
            Side::Writer => &mut self.writer,
        };
        let replaced = slot.replace((cx.waker().clone(), until)).map(|(waker, _)| waker);
        let is_new = !replaced.as_ref().is_some_and(|known| known.will_wake(cx.waker()));
        woken.discard(replaced);
        is_new
    }

    /// Somebody waits for the end. `key`: of their place, as long as they have one. False: they did already.
    pub(super) fn watch(&mut self, key: &mut Option<usize>, cx: &Context<'_>, woken: &mut Woken) -> bool {
        let watchers = self.watchers.get_or_insert_default();
        match key.and_then(|key| watchers.get_mut(key)) {
            Some(known) if known.will_wake(cx.waker()) => return false,
            Some(known) => woken.discard(Some(std::mem::replace(known, cx.waker().clone()))),
            None => *key = Some(watchers.insert(cx.waker().clone())),
        }
        true
    }

    /// Woken everybody. Who watches keeps the place: it may be closing that is over, and not yet the connection.
    pub(super) fn wake_all(&mut self, woken: &mut Woken) {
        woken.take(&mut self.reader);
        for (waker, _) in [self.reply.take(), self.writer.take()].into_iter().flatten() {
            woken.add(waker);
        }
        for (_, watcher) in self.watchers.iter().flat_map(|watchers| watchers.iter()) {
            woken.add(watcher.clone());
        }
    }

    /// Whether somebody waits for the end.
    pub(super) fn are_watching(&self) -> bool {
        self.watchers.is_some()
    }

    /// Nobody waits in this place any more.
    fn unwatch(&mut self, key: usize) -> Option<Waker> {
        let watchers = self.watchers.as_mut()?;
        let watcher = watchers.try_remove(key);
        if watchers.is_empty() {
            self.watchers = None;
        }
        watcher
    }
}

impl Wire {
    /// Woken those for whom the output is far enough.
    pub(super) fn wake_writers(&mut self) {
        let is_met =
            |slot: &Option<(Waker, Until)>| slot.as_ref().is_some_and(|(_, until)| self.is_met(*until));
        let (replies, writes) = (is_met(&self.waiters.reply), is_met(&self.waiters.writer));
        if replies || writes {
            self.waiters.turn = Turn::Outlets;
        }
        if replies {
            self.waiters.reply.take().into_iter().for_each(|(waker, _)| self.woken.add(waker));
        }
        if writes {
            if let Some((waker, until)) = self.waiters.writer.take() {
                if let Until::Fits(len) = until {
                    self.waiters.promised = Some(len);
                }
                self.woken.add(waker);
            }
        }
    }

    pub(super) fn wake_reader(&mut self) {
        self.woken.take(&mut self.waiters.reader);
    }

    /// Somebody waits for the end no longer.
    pub(crate) fn unwatch(&mut self, key: usize) {
        let watcher = self.waiters.unwatch(key);
        self.woken.discard(watcher);
    }
}
