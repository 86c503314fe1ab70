//! Masking: XOR with a key of four bytes. RFC 6455 5.3.

use alloc::boxed::Box;
use core::fmt;

/// The source of a client's mask keys: a function that makes one for each frame.
///
/// Keys must be unpredictable (RFC 6455 5.3 and 10.3), so the function must use a strong source of randomness. The core
/// has no such source.
pub struct Masks(Box<dyn FnMut() -> [u8; 4] + Send>);

impl Masks {
    /// Takes keys from `source`, which is called once for each frame.
    pub fn new(source: impl FnMut() -> [u8; 4] + Send + 'static) -> Self {
        Self(Box::new(source))
    }

    pub(in crate::ws) fn next_key(&mut self) -> [u8; 4] {
        (self.0)()
    }
}

impl fmt::Debug for Masks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masks")
    }
}

/// Masks or unmasks `data`, which starts at the first byte of the key.
#[inline]
pub(in crate::ws) fn apply(key: [u8; 4], data: &mut [u8]) {
    // A key of zero changes nothing, and also stands for no mask.
    if key == [0; 4] {
        return;
    }
    let rest = if data.len() < WIDE { data } else { apply_wide(key, data) };
    apply_narrow(key, rest);
}

/// The key for the bytes after `len` bytes.
pub(in crate::ws) fn turned(mut key: [u8; 4], len: usize) -> [u8; 4] {
    key.rotate_left(len % 4);
    key
}

/// The bytes in a step of the wide loop. The pattern is made beforehand and the compiler knows the length of a step, so
/// it can use the widest registers.
const WIDE: usize = 64;

/// Masks all but the last bytes, and returns those.
#[inline(never)]
fn apply_wide(key: [u8; 4], data: &mut [u8]) -> &mut [u8] {
    let mut pattern = [0; WIDE];
    for part in pattern.chunks_exact_mut(4) {
        part.copy_from_slice(&key);
    }
    let mut blocks = data.chunks_exact_mut(WIDE);
    for block in &mut blocks {
        for (byte, mask) in block.iter_mut().zip(&pattern) {
            *byte ^= mask;
        }
    }
    blocks.into_remainder()
}

/// Masks fewer bytes than a step of the wide loop: by words, then byte by byte.
#[inline]
fn apply_narrow(key: [u8; 4], data: &mut [u8]) {
    let word = u32::from_ne_bytes(key);
    let mut words = data.chunks_exact_mut(4);
    for part in &mut words {
        if let Some(part) = part.first_chunk_mut() {
            *part = (u32::from_ne_bytes(*part) ^ word).to_ne_bytes();
        }
    }
    for (byte, mask) in words.into_remainder().iter_mut().zip(&key) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn it_agrees_with_the_byte_loop_of_the_rfc_under_every_cut() {
        let key = [0x12, 0x34, 0x56, 0x78];
        for len in (0..200).chain([1000, 4097]) {
            let data: Vec<u8> = (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let naive: Vec<u8> = data.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
            for cut in [0, 1, 2, 3, 5, 17, 64, 67, 130] {
                let mut masked = data.clone();
                let (head, tail) = masked.split_at_mut(cut.min(len));
                apply(key, head);
                apply(turned(key, head.len()), tail);
                assert_eq!(masked, naive, "length {len}, cut at {cut}");
            }
        }
    }
}
