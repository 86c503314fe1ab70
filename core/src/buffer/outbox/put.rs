//! What states write.

use bytes::Bytes;

use super::Outbox;
use crate::convert;

/// From this size on, a piece is kept by reference: below it, copying costs less than another slice in a vectored
/// write.
pub(super) const LARGE: usize = 4096;

impl Outbox {
    /// Appends bytes.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.make_room(bytes.len());
        self.joined.extend_from_slice(bytes);
        self.len = self.len.saturating_add(bytes.len());
    }

    #[inline]
    fn make_room(&mut self, len: usize) {
        if self.joined.capacity() - self.joined.len() < len && self.start > self.joined.len() / 2 {
            self.drop_sent();
        }
    }

    /// Reuses the space of sent bytes instead of growing: with a peer that is always a little behind, the outbox never
    /// runs empty. Moves fewer bytes than were sent since the last time.
    fn drop_sent(&mut self) {
        self.joined.drain(..self.start);
        self.forget_start();
    }

    /// What was sent is no longer before what is kept.
    pub(super) fn forget_start(&mut self) {
        for (index, _) in self.large.iter_mut().flat_map(|large| large.iter_mut()) {
            *index = index.saturating_sub(self.start);
        }
        self.start = 0;
    }

    /// Appends two bytes and the bytes that belong to them.
    #[inline]
    pub(crate) fn put_pair(&mut self, pair: [u8; 2], rest: &[u8]) {
        let len = rest.len() + 2;
        self.make_room(len);
        self.joined.reserve(len);
        self.joined.extend_from_slice(&pair);
        self.joined.extend_from_slice(rest);
        self.len += len;
    }

    /// Appends bytes and returns them, to mask them.
    pub(crate) fn put_mut(&mut self, bytes: &[u8]) -> &mut [u8] {
        self.put(bytes);
        let start = self.joined.len().saturating_sub(bytes.len());
        self.joined.get_mut(start..).unwrap_or_default()
    }

    /// Appends owned bytes, without a copy if they are many.
    pub(crate) fn put_bytes(&mut self, bytes: Bytes) {
        if bytes.len() < LARGE {
            self.put(&bytes);
        } else {
            self.put_large(bytes);
        }
    }

    /// Appends shared bytes; if they are many, by another reference to them.
    pub(crate) fn put_shared(&mut self, bytes: &Bytes) {
        if bytes.len() < LARGE {
            self.put(bytes);
        } else {
            self.put_large(bytes.clone());
        }
    }

    fn put_large(&mut self, bytes: Bytes) {
        self.len = self.len.saturating_add(bytes.len());
        self.large.get_or_insert_default().push_back((self.joined.len(), bytes));
    }

    /// Appends a number in decimal.
    pub(crate) fn put_decimal(&mut self, number: u64) {
        self.put_digits(number, 10);
    }

    /// Appends a number in hexadecimal.
    pub(crate) fn put_hex(&mut self, number: u64) {
        self.put_digits(number, 16);
    }

    fn put_digits(&mut self, mut number: u64, base: u64) {
        let mut digits = [0; 20];
        let mut used = 0;
        for place in digits.iter_mut().rev() {
            let digit = convert::usize_from(number % base);
            *place = b"0123456789abcdef".get(digit).copied().unwrap_or(b'0');
            used += 1;
            number /= base;
            if number == 0 {
                break;
            }
        }
        self.put(digits.get(digits.len() - used..).unwrap_or_default());
    }
}
