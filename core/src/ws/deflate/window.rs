//! The size of an LZ77 window. RFC 7692 7.1.2.

/// The base-2 logarithm of an LZ77 window's size: how far back compressed data may refer. RFC 7692 7.1.2.
///
/// From 9 (512 bytes) to 15 (32 KiB). The RFC also allows 8. Data that a peer compressed with 8 is decompressed, but
/// our compressor, like most, does not support 8: a server declines an offer that asks for 8, and a client whose server
/// answers with 8 sends its messages uncompressed.
///
/// ```
/// use endwell_core::ws::WindowBits;
///
/// assert_eq!(WindowBits::new(11).map(WindowBits::bytes), Some(2048));
/// assert_eq!((WindowBits::new(8), WindowBits::new(16)), (None, None));
/// ```
///
/// A window that the compressor does not support does not compile:
///
/// ```compile_fail,E0423
/// let mut deflate = endwell_core::ws::Deflate::default();
/// deflate.window = endwell_core::ws::WindowBits(8);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowBits(u8);

impl WindowBits {
    /// 512 bytes.
    pub const LEAST: Self = Self(9);
    /// 32 KiB, the default if no size is negotiated.
    pub const MOST: Self = Self(15);

    /// Makes a size from its logarithm. `None` unless it is from 9 to 15.
    pub const fn new(bits: u8) -> Option<Self> {
        match bits {
            9..=15 => Some(Self(bits)),
            _ => None,
        }
    }

    /// The logarithm.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The size of the window.
    pub const fn bytes(self) -> usize {
        1 << self.0
    }
}
