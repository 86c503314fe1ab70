//! The last messages of a room, numbered, for those who come back.

use std::collections::VecDeque;

/// A message with its number, as JSON.
type Entry = (u64, String);

#[derive(Default)]
pub(crate) struct History {
    entries: VecDeque<Entry>,
    last: u64,
}

/// What a client has missed.
#[derive(Default)]
pub(crate) struct Missed<'a> {
    /// The number of the message before the first of `texts`.
    pub(crate) after: u64,
    /// There was more than is kept.
    pub(crate) gap: bool,
    pub(crate) texts: Vec<&'a str>,
}

/// Messages kept for each room: enough for a client that was away for a few minutes.
const KEPT: usize = 200;

impl History {
    /// Adds the message that `make` makes of its number, and returns it.
    pub(crate) fn push(&mut self, make: impl FnOnce(u64) -> String) -> String {
        self.last += 1;
        let text = make(self.last);
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back((self.last, text.clone()));
        text
    }

    /// What came after message `seen`.
    pub(crate) fn after(&self, seen: u64) -> Missed<'_> {
        let before = self.entries.front().map_or(self.last, |(number, _)| number - 1);
        // A number that this process never gave is of one before it.
        let gap = seen < before || seen > self.last;
        let after = if gap { before } else { seen };
        let missed = self.entries.iter().filter(|(number, _)| *number > after);
        Missed { after, gap, texts: missed.map(|(_, text)| &**text).collect() }
    }
}
