//! Cuts input in pieces, as a network does.

use crate::random::Random;

/// Whole, in every two parts, and byte by byte. The whole comes first.
pub fn every_way(input: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let halves = (1..input.len()).map(|at| vec![&input[..at], &input[at..]]);
    [vec![input]].into_iter().chain(halves).chain([byte_by_byte(input)])
}

/// One byte at a time.
pub fn byte_by_byte(input: &[u8]) -> Vec<&[u8]> {
    input.chunks(1).collect()
}

/// In pieces of 1 to `longest` bytes.
pub fn at_random<'a>(mut input: &'a [u8], longest: usize, random: &mut Random) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while !input.is_empty() {
        let (piece, rest) = input.split_at((1 + random.below(longest)).min(input.len()));
        pieces.push(piece);
        input = rest;
    }
    pieces
}
