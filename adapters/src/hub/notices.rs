//! What members are told.

use std::collections::HashMap;
use std::task::{Context, Waker};

use super::{ConnectionKey, Notice};
use crate::sync::Woken;

/// What members are to be told, and the tasks that wait for it. Few members have any, so they are beside the registry.
#[derive(Default)]
pub(super) struct Notices(HashMap<ConnectionKey, Notes>);

#[derive(Default)]
struct Notes {
    untold: Vec<Notice>,
    waker: Option<Waker>,
}

impl Notices {
    /// Adds a notice for a member.
    pub(super) fn tell(&mut self, key: ConnectionKey, notice: Notice, woken: &mut Woken) {
        let notes = self.0.entry(key).or_default();
        // A program that does not ask is told little: the last of each kind.
        let is_same = |known: &Notice| std::mem::discriminant(known) == std::mem::discriminant(&notice);
        notes.untold.retain(|known| !is_same(known));
        notes.untold.push(notice);
        woken.take(&mut notes.waker);
    }

    /// Takes the next notice for a member.
    pub(super) fn next(&mut self, key: ConnectionKey) -> Option<Notice> {
        let untold = &mut self.0.get_mut(&key)?.untold;
        (!untold.is_empty()).then(|| untold.remove(0))
    }

    /// Waits for a notice.
    pub(super) fn wait(&mut self, key: ConnectionKey, cx: &Context<'_>, woken: &mut Woken) {
        woken.register(&mut self.0.entry(key).or_default().waker, cx.waker());
    }

    /// Wakes the task that waits for a notice: the member has left.
    pub(super) fn wake(&mut self, key: ConnectionKey, woken: &mut Woken) {
        if let Some(notes) = self.0.get_mut(&key) {
            woken.take(&mut notes.waker);
        }
    }

    /// Forgets a member, which asks no more.
    pub(super) fn forget(&mut self, key: ConnectionKey, woken: &mut Woken) {
        if let Some(notes) = self.0.remove(&key) {
            woken.discard(notes.waker);
        }
    }
}
