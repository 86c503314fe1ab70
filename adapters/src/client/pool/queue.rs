//! The waiting requests in order of arrival, with the first few apart.

use std::collections::BTreeSet;

use super::number::Number;

/// The tickets of waiting requests in order of arrival. As many as there is room for are ahead, the others behind.
///
/// The border moves with each change, so the first ticket of each part is always known, and a change costs O(log
/// tickets).
#[derive(Debug)]
pub(super) struct Queue {
    room: usize,
    ahead: BTreeSet<Number>,
    behind: BTreeSet<Number>,
}

/// The tickets that a change moved ahead, and those that left.
#[derive(Debug, Default)]
pub(super) struct Moved {
    pub(super) ahead: Option<Number>,
    pub(super) away: Option<Number>,
}

impl Queue {
    pub(super) fn new(room: usize) -> Self {
        Self { room, ahead: BTreeSet::new(), behind: BTreeSet::new() }
    }

    pub(super) fn room(&self) -> usize {
        self.room
    }

    pub(super) fn len(&self) -> usize {
        self.ahead.len() + self.behind.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn first(&self) -> Option<Number> {
        self.ahead.first().copied().or_else(|| self.first_behind())
    }

    /// The first ticket for which there is no room.
    pub(super) fn first_behind(&self) -> Option<Number> {
        self.behind.first().copied()
    }

    pub(super) fn insert(&mut self, ticket: Number) -> Moved {
        if self.ahead.last().is_some_and(|last| ticket < *last) {
            self.ahead.insert(ticket);
            let away = self.move_back();
            return Moved { ahead: Some(ticket), away };
        }
        self.behind.insert(ticket);
        Moved { ahead: self.move_ahead(), away: None }
    }

    pub(super) fn remove(&mut self, ticket: Number) -> Moved {
        if self.ahead.remove(&ticket) {
            return Moved { ahead: self.move_ahead(), away: Some(ticket) };
        }
        self.behind.remove(&ticket);
        Moved::default()
    }

    /// Makes room for one more.
    pub(super) fn widen(&mut self) -> Moved {
        self.room = self.room.saturating_add(1);
        Moved { ahead: self.move_ahead(), away: None }
    }

    /// Makes room for one less.
    pub(super) fn narrow(&mut self) -> Moved {
        self.room = self.room.saturating_sub(1);
        Moved { ahead: None, away: self.move_back() }
    }

    fn move_ahead(&mut self) -> Option<Number> {
        let has_room = self.ahead.len() < self.room;
        let ticket = has_room.then(|| self.behind.pop_first()).flatten()?;
        self.ahead.insert(ticket);
        Some(ticket)
    }

    fn move_back(&mut self) -> Option<Number> {
        let is_over = self.ahead.len() > self.room;
        let ticket = is_over.then(|| self.ahead.pop_last()).flatten()?;
        self.behind.insert(ticket);
        Some(ticket)
    }

    #[cfg(test)]
    pub(super) fn ahead(&self) -> impl Iterator<Item = Number> {
        self.ahead.iter().copied()
    }

    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = Number> {
        self.ahead.iter().chain(&self.behind).copied()
    }

    /// Checks that the border is where it must be.
    #[cfg(test)]
    pub(super) fn check(&self) {
        assert_eq!(self.ahead.len(), self.room.min(self.len()));
        let (last, first) = (self.ahead.last(), self.behind.first());
        assert!(last.zip(first).is_none_or(|(last, first)| last < first));
    }
}
