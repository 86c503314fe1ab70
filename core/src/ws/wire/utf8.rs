//! Checks that text is UTF-8, and finds the first invalid byte. RFC 6455 8.1, RFC 3629.

use alloc::string::String;

/// The bytes of a character up to the first invalid one: a surrogate, an overlong form, above U+10FFFF, or out of
/// place. Or the bytes of an incomplete character at the end of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ws) struct NotText(pub(in crate::ws) Partial);

impl NotText {
    /// Extends the finding by `bytes` that follow: an incomplete character may continue there.
    #[cold]
    pub(in crate::ws) fn before(self, bytes: &[u8]) -> Self {
        let Self(mut found) = self;
        let goes_on = core::str::from_utf8(found.bytes()).is_err_and(|error| error.error_len().is_none());
        let mut text = String::new();
        for &byte in bytes.iter().take_while(|_| goes_on) {
            if let Err(not_text) = found.complete(byte, &mut text) {
                return not_text;
            }
        }
        self
    }
}

/// Returns `bytes` as text, if they are UTF-8.
///
/// The type is the proof: code that holds the `str` need not check again.
#[inline]
pub(in crate::ws) fn check(bytes: &[u8]) -> Result<&str, NotText> {
    #[cfg(feature = "simdutf8")]
    if bytes.len() >= WIDE {
        return simdutf8::basic::from_utf8(bytes).map_err(|_| blame(bytes));
    }
    core::str::from_utf8(bytes).map_err(|_| blame(bytes))
}

/// Finds what is wrong with `bytes`, which are not text: the same as when they come one by one.
#[cold]
fn blame(bytes: &[u8]) -> NotText {
    let valid = core::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    let (mut found, mut text) = (Partial::default(), String::new());
    for &byte in bytes.get(valid..).unwrap_or_default() {
        if let Err(not_text) = found.complete(byte, &mut text) {
            return not_text;
        }
    }
    NotText(found)
}

/// From this length on, wide registers are faster.
#[cfg(feature = "simdutf8")]
const WIDE: usize = 64;

/// The first bytes of an incomplete character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::ws) struct Partial {
    bytes: [u8; 4],
    len: usize,
}

impl Partial {
    /// True if the text does not end within a character.
    pub(in crate::ws) fn is_none(self) -> bool {
        self.len == 0
    }

    /// The bytes of the character that have arrived.
    pub(in crate::ws) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// The number of bytes that have arrived.
    pub(in crate::ws) fn len(self) -> usize {
        self.len
    }

    /// Appends the characters of `bytes` to `text` and keeps the first bytes of an incomplete one.
    ///
    /// # Errors
    ///
    /// If the bytes cannot become text, whatever follows.
    pub(in crate::ws) fn push(&mut self, mut bytes: &[u8], text: &mut String) -> Result<(), NotText> {
        while !self.is_none() {
            let Some((&byte, rest)) = bytes.split_first() else { return Ok(()) };
            bytes = rest;
            self.complete(byte, text)?;
        }
        let (whole, cut) = bytes.split_at(bytes.len().saturating_sub(cut_at_end(bytes)));
        // The first invalid byte may be just after the complete characters.
        text.push_str(check(whole).map_err(|_| blame(bytes))?);
        for &byte in cut {
            self.complete(byte, text)?;
        }
        Ok(())
    }

    /// Takes one byte of a split character.
    fn complete(&mut self, byte: u8, text: &mut String) -> Result<(), NotText> {
        let Some(place) = self.bytes.get_mut(self.len) else { return Err(NotText(*self)) };
        *place = byte;
        self.len += 1;
        match core::str::from_utf8(self.bytes()) {
            Ok(character) => {
                text.push_str(character);
                self.len = 0;
                Ok(())
            }
            // No error length: valid so far, and more must come.
            Err(error) if error.error_len().is_none() => Ok(()),
            Err(_) => Err(NotText(*self)),
        }
    }
}

/// The most bytes of an incomplete character.
pub(in crate::ws) const LONGEST_CUT: usize = 3;

/// The number of bytes at the end that may belong to a split character.
pub(in crate::ws) fn cut_at_end(bytes: &[u8]) -> usize {
    for (before, &byte) in bytes.iter().rev().take(LONGEST_CUT).enumerate() {
        let length = match byte {
            // A continuation byte: look for the start.
            0x80..0xc0 => continue,
            0xc0..0xe0 => 2,
            0xe0..0xf0 => 3,
            0xf0.. => 4,
            ..0x80 => 1,
        };
        return if length > before + 1 { before + 1 } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// The number of bytes after which this is known not to be text. `None` if it is text, or the beginning of text.
    fn fails_at(bytes: &[u8], step: usize) -> Option<usize> {
        let (mut partial, mut text) = (Partial::default(), String::new());
        for (index, piece) in bytes.chunks(step).enumerate() {
            if partial.push(piece, &mut text).is_err() {
                return Some(index * step + piece.len());
            }
            let whole = text.len() + partial.len();
            assert_eq!(whole, (index * step) + piece.len());
        }
        None
    }

    #[test]
    fn the_first_impossible_byte_is_enough() {
        let refused: [(&[u8], usize); 17] = [
            (b"\x80", 1),
            (b"\xbf", 1),
            (b"\xc0\x80", 1),
            (b"\xc1\xbf", 1),
            (b"\xc2\x41", 2),
            (b"\xe0\x9f\xbf", 2),
            (b"\xe1\x80\x41", 3),
            (b"\xed\xa0\x80", 2),
            (b"\xed\xbf\xbf", 2),
            (b"\xf0\x8f\xbf\xbf", 2),
            (b"\xf1\x80\x80\x41", 4),
            (b"\xf4\x90\x80\x80", 2),
            (b"\xf5\x80", 1),
            (b"\xff", 1),
            (b"ab\xe2\x82\xac\xc3", 100),
            (b"a\xe2\x82\xacb\xfe", 6),
            (b"\xf0\x9f\x98\x80\x80", 5),
        ];
        for (bytes, at) in refused {
            assert_eq!(fails_at(bytes, 1), (at < 100).then_some(at), "{bytes:x?}");
            for step in 2..=bytes.len() {
                assert_eq!(fails_at(bytes, step).is_some(), at < 100, "{bytes:x?} by {step}");
            }
        }
    }

    #[test]
    fn text_comes_through_every_cut() {
        let text =
            "aß水🎉\u{0}\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}".repeat(20);
        for step in 1..200 {
            let (mut partial, mut received) = (Partial::default(), String::new());
            for piece in text.as_bytes().chunks(step) {
                partial.push(piece, &mut received).unwrap();
            }
            assert!(partial.is_none());
            assert_eq!(received, text);
        }
    }

    #[test]
    fn every_sequence_of_up_to_three_bytes_agrees_with_the_standard_library() {
        let interesting: Vec<u8> =
            [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0]
                .into_iter()
                .chain([0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff])
                .collect();
        for &a in &interesting {
            for &b in &interesting {
                for &c in &interesting {
                    for &d in &interesting {
                        let bytes = [a, b, c, d];
                        let expected = core::str::from_utf8(&bytes)
                            .map_or_else(|error| error.error_len().is_some(), |_| false);
                        for step in 1..=4 {
                            assert_eq!(fails_at(&bytes, step).is_some(), expected, "{bytes:x?} by {step}");
                        }
                    }
                }
            }
        }
    }
}
