//! The last bytes in one direction, which context takeover keeps. RFC 7692 7.1.1.

use alloc::vec::Vec;

/// The last bytes that were compressed or decompressed, in order, up to a bound. Memory grows with the bytes that came.
#[derive(Debug)]
pub(super) struct History {
    /// Grows up to the bound and is a ring from then on.
    bytes: Vec<u8>,
    /// Where the oldest byte of a full ring is.
    oldest: usize,
    bound: usize,
}

impl History {
    pub(super) fn new(bound: usize) -> Self {
        Self { bytes: Vec::new(), oldest: 0, bound }
    }

    /// Bytes of memory that it takes.
    pub(super) fn held_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// What is kept, in order: the older part and the newer.
    pub(super) fn parts(&self) -> [&[u8]; 2] {
        let (newer, older) = self.bytes.split_at_checked(self.oldest).unwrap_or_default();
        [older, newer]
    }

    /// These bytes came last.
    pub(super) fn push(&mut self, data: &[u8]) {
        let before = data.len().saturating_sub(self.bound);
        let data = data.get(before..).unwrap_or_default();
        let grown = self.bytes.len().saturating_add(data.len()).min(self.bound);
        if grown > self.bytes.capacity() {
            let target = self.bytes.capacity().saturating_mul(2).clamp(grown, self.bound);
            self.bytes.reserve_exact(target - self.bytes.len());
        }
        let (new, over) = data.split_at_checked(grown - self.bytes.len()).unwrap_or_default();
        self.bytes.extend_from_slice(new);
        // The ring is full: the oldest make way, up to its end and from its start.
        let until_end = (self.bytes.len() - self.oldest).min(over.len());
        let (first, second) = over.split_at_checked(until_end).unwrap_or_default();
        for (from, at) in [(first, self.oldest), (second, 0)] {
            if let Some(place) = self.bytes.get_mut(at..at + from.len()) {
                place.copy_from_slice(from);
            }
        }
        if !over.is_empty() {
            self.oldest = (self.oldest + over.len()) % self.bytes.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bytes_are_kept_in_order_whatever_the_pieces() {
        let all: Vec<u8> = (0..=255).cycle().take(5000).collect();
        for bound in [1, 2, 7, 512, 1000, 4096] {
            for step in [1, 3, 100, 511, 512, 513, 3000] {
                let (mut history, mut pushed) = (History::new(bound), 0);
                for piece in all.chunks(step) {
                    history.push(piece);
                    pushed += piece.len();
                    let expected = &all[pushed.saturating_sub(bound)..pushed];
                    assert_eq!(history.parts().concat(), expected, "{bound} by {step}");
                    assert!(history.held_bytes() <= bound);
                }
            }
        }
    }

    #[test]
    fn memory_follows_what_came() {
        let mut history = History::new(1 << 15);
        assert_eq!(history.held_bytes(), 0);
        history.push(&[1; 100]);
        assert_eq!(history.held_bytes(), 100);
        history.push(&[1; 20]);
        assert_eq!(history.held_bytes(), 200);
    }
}
