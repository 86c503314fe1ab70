//! The two integer conversions that the protocols need, written once.

/// Converts a length in memory to a length on the wire. Lossless where `usize` has at most 64 bits.
pub(crate) fn u64_from(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// Converts a length on the wire to a length in memory, at most `usize::MAX`.
pub(crate) fn usize_from(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}
