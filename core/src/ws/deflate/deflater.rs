//! Compresses a message. RFC 7692 7.2.1.

use alloc::vec;
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;

use zlib_rs::{Deflate as Stream, DeflateConfig, DeflateFlush, Status};

use super::history::History;
use super::window::WindowBits;
use crate::convert;

/// A compressor, for one message at a time.
pub(super) struct Deflater {
    stream: Stream,
    form: Form,
    output: Vec<u8>,
}

/// The settings of a compressor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    window: WindowBits,
    level: u8,
    memory_level: u8,
}

/// The output buffer that is kept. A larger one is dropped once its content is written.
const OUTPUT: usize = 16 << 10;

/// From this size on, compressed data goes to the outbox without a copy: it fills half of the buffer that goes with it.
pub(super) const OWNED: usize = OUTPUT / 2;

/// The end of a sync flush, which the sender cuts off. RFC 7692 7.2.1.
const TAIL: &[u8] = &[0, 0, 0xff, 0xff];

/// An empty block without its tail: the last frame of a message in pieces. RFC 7692 7.2.3.6.
pub(super) const END: &[u8] = &[0];

impl Form {
    pub(super) fn new(window: WindowBits, level: u8, memory_level: u8) -> Self {
        Self { window, level: level.clamp(1, 9), memory_level: memory_level.clamp(1, 9) }
    }

    pub(super) fn window(self) -> WindowBits {
        self.window
    }

    fn stream(self) -> Stream {
        Stream::new_with_config(DeflateConfig {
            level: self.level.into(),
            // A negative number: data without a header.
            window_bits: -i32::from(self.window.bits()),
            mem_level: self.memory_level.into(),
            ..DeflateConfig::default()
        })
    }

    /// The memory of such a compressor, as the allocator counts it: zlib-rs's window twice, its chains, heads of 128
    /// KiB, the symbols and pending output, a few fields, and the output buffer.
    pub(super) fn held_bytes(self) -> usize {
        (self.window.bytes() << 2) + (128 << 10) + (1 << (self.memory_level + 9)) + (8 << 10) + OUTPUT
    }
}

impl Deflater {
    pub(super) fn new(form: Form) -> Self {
        Self { stream: form.stream(), form, output: vec![0; OUTPUT] }
    }

    pub(super) fn form(&self) -> Form {
        self.form
    }

    /// Begins a message, which may refer to `history`.
    pub(super) fn begin(&mut self, history: Option<&History>) {
        self.stream.reset();
        for part in history.map(History::parts).into_iter().flatten() {
            if !part.is_empty() {
                // Between messages no output is pending, so the stream accepts a dictionary.
                let _ = self.stream.set_dictionary(part);
            }
        }
    }

    /// Compresses a whole message, right after `begin`. `None` if the result would not be smaller.
    pub(super) fn whole(&mut self, data: &[u8]) -> Option<&[u8]> {
        let written = self.compress(data, data.len().saturating_add(TAIL.len()))?;
        let whole = self.output.get(..written)?.strip_suffix(TAIL)?;
        (whole.len() < data.len()).then_some(whole)
    }

    /// Compresses a piece of a message. The peer can decompress it as soon as it arrives.
    pub(super) fn piece(&mut self, data: &[u8]) -> &[u8] {
        let written = self.compress(data, usize::MAX).unwrap_or_default();
        self.output.get(..written).unwrap_or_default()
    }

    /// The first `len` bytes of the latest output.
    pub(super) fn output(&self, len: usize) -> &[u8] {
        self.output.get(..len).unwrap_or_default()
    }

    /// Takes the latest output, with its buffer.
    pub(super) fn take_output(&mut self, len: usize) -> Bytes {
        let mut output = core::mem::replace(&mut self.output, vec![0; OUTPUT]);
        output.truncate(len);
        output.into()
    }

    /// Drops a large output buffer, once its content is written.
    pub(super) fn forget_output(&mut self) {
        if self.output.len() > OUTPUT {
            self.output = vec![0; OUTPUT];
        }
    }

    /// Compresses `data` and returns the length of the output. `None` if it would exceed `limit`.
    fn compress(&mut self, mut data: &[u8], limit: usize) -> Option<usize> {
        let mut written = 0;
        loop {
            let before = (self.stream.total_in(), self.stream.total_out());
            let room = self.output.get_mut(written..).unwrap_or_default();
            let (room_len, status) = (room.len(), self.stream.compress(data, room, DeflateFlush::SyncFlush));
            debug_assert!(matches!(status, Ok(Status::Ok | Status::BufError)), "{status:?}");
            let taken = convert::usize_from(self.stream.total_in() - before.0);
            let given = convert::usize_from(self.stream.total_out() - before.1);
            data = data.get(taken..).unwrap_or_default();
            written += given;
            // All is flushed if the output buffer has room left.
            if given < room_len && (data.is_empty() || taken == 0) {
                return (data.is_empty() && written <= limit).then_some(written);
            }
            if written > limit {
                // The stream stops within a block, and at level 1 zlib-rs's reset does not forget the open block.
                self.stream = self.form.stream();
                return None;
            }
            if given == room_len {
                let grown = self.output.len().saturating_mul(2).min(limit.saturating_add(1));
                self.output.resize(grown.max(written.saturating_add(64)), 0);
            }
        }
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater").field("form", &self.form).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deflater(window: WindowBits) -> Deflater {
        Deflater::new(Form::new(window, 6, 8))
    }

    /// RFC 7692 7.2.3.1 and 7.2.3.2.
    #[test]
    fn the_examples_of_the_rfc() {
        let mut deflater = deflater(WindowBits::MOST);
        deflater.begin(None);
        assert_eq!(deflater.piece(b"Hello"), b"\xf2\x48\xcd\xc9\xc9\x07\0\0\0\xff\xff");
        let mut history = History::new(100);
        history.push(b"Hello");
        deflater.begin(Some(&history));
        assert_eq!(deflater.piece(b"Hello"), b"\xf2\0\x11\0\0\0\0\xff\xff");
        // 7.2.3.6: an empty fragment.
        deflater.begin(None);
        assert_eq!(deflater.piece(b"").strip_suffix(TAIL), Some(END));
    }

    #[test]
    fn no_setting_makes_it_panic() {
        for bits in 9..=15 {
            for level in [0, 1, 6, 9, 10, 255] {
                for memory_level in [0, 1, 8, 9, 10, 255] {
                    let window = WindowBits::new(bits).unwrap();
                    let mut deflater = Deflater::new(Form::new(window, level, memory_level));
                    deflater.begin(None);
                    assert!(deflater.whole(&[7; 1000]).is_some());
                }
            }
        }
    }

    #[test]
    fn what_would_grow_is_left_alone() {
        let mut deflater = deflater(WindowBits::LEAST);
        let mut number = 1_u32;
        let mut noise = |_| {
            number = number.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
            number.to_be_bytes()[0]
        };
        for len in [0, 1, 5, 100, 20_000, 100_000] {
            let data: Vec<u8> = (0..len).map(&mut noise).collect();
            deflater.begin(None);
            assert_eq!(deflater.whole(&data), None, "{len}");
        }
        deflater.begin(None);
        let long = vec![b'a'; 100_000];
        assert!(deflater.whole(&long).is_some_and(|whole| whole.len() < 1000));
    }

    /// One message leaves nothing behind for the next, which may be another connection's.
    #[test]
    fn a_message_that_was_given_up_is_forgotten() {
        let mut number = 1_u32;
        let mut noise = |_| {
            number = number.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
            number.to_be_bytes()[0]
        };
        for (level, memory_level, len) in (1..=9)
            .flat_map(|level| [(level, 1, 5), (level, 1, 20_000), (level, 1, 100_000), (level, 8, 100_000)])
        {
            let new = || Deflater::new(Form::new(WindowBits::MOST, level, memory_level));
            let (mut deflater, mut fresh) = (new(), new());
            let data: Vec<u8> = (0..len).map(&mut noise).collect();
            deflater.begin(None);
            assert_eq!(deflater.whole(&data), None);
            let next = b"hello hello hello hello hello";
            deflater.begin(None);
            fresh.begin(None);
            assert_eq!(deflater.whole(next), fresh.whole(next), "{level}, {memory_level}, {len}");
        }
    }
}
