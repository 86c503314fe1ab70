//! The payload of a frame that has begun.

use crate::ws::wire::header::Header;
use crate::ws::wire::{mask, utf8};
use crate::{Inbox, convert};

/// The rest of a frame's payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest {
    /// The bytes that have not left the inbox, or have not arrived.
    pub(super) len: u64,
    /// The mask key, rotated to the next byte.
    key: [u8; 4],
    /// True in the last frame of a message.
    pub(super) fin: bool,
}

impl Rest {
    pub(super) fn new(header: &Header) -> Self {
        Self { len: header.len, key: header.key, fin: header.fin }
    }

    /// The bytes that are in the inbox.
    pub(super) fn here(&self, inbox: &Inbox) -> usize {
        convert::usize_from(self.len).min(inbox.len())
    }

    /// Moves up to `most` bytes out of the inbox and unmasks them.
    pub(super) fn read<'a>(&mut self, most: usize, inbox: &'a mut Inbox) -> &'a mut [u8] {
        let bytes = inbox.read(0, most.min(self.here(inbox)));
        mask::apply(self.passed(bytes.len()), bytes);
        bytes
    }

    /// Discards what has arrived. Returns the number of bytes.
    pub(super) fn skip(&mut self, inbox: &mut Inbox) -> usize {
        let here = self.here(inbox);
        self.passed(here);
        inbox.consume(here);
        here
    }

    /// Notes that the next `len` bytes leave the inbox. Returns the key for the first of them.
    pub(super) fn passed(&mut self, len: usize) -> [u8; 4] {
        let first = self.key;
        self.len = self.len.saturating_sub(convert::u64_from(len));
        self.key = mask::turned(first, len);
        first
    }

    /// The number of bytes of text in the inbox that end between characters.
    pub(super) fn characters(&self, inbox: &Inbox) -> usize {
        let here = self.here(inbox);
        let before = here.saturating_sub(utf8::LONGEST_CUT);
        let (end, len) = self.unmasked(before, inbox);
        here.saturating_sub(utf8::cut_at_end(end.get(..len).unwrap_or_default()))
    }

    /// The unmasked bytes after the next `skip` bytes that are in the inbox, at most as many as a split character
    /// lacks, and their number.
    pub(super) fn unmasked(&self, skip: usize, inbox: &Inbox) -> ([u8; utf8::LONGEST_CUT], usize) {
        let mut unmasked = [0; utf8::LONGEST_CUT];
        let bytes = inbox.unread().get(skip..self.here(inbox)).unwrap_or_default();
        for (to, &byte) in unmasked.iter_mut().zip(bytes) {
            *to = byte;
        }
        mask::apply(mask::turned(self.key, skip), &mut unmasked);
        (unmasked, bytes.len().min(utf8::LONGEST_CUT))
    }
}
