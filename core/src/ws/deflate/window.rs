//! The size of an LZ77 window. RFC 7692 7.1.2.

/// The base-2 logarithm of an LZ77 window's size: how far back compressed data may refer. RFC 7692 7.1.2.
///
/// From 9 (512 bytes) to 15 (32 KiB). The RFC also knows 8. What a peer compresses with 8 is inflated, but our compressor,
/// like most, cannot be held to it: a server declines an offer that asks for 8, and a client whose server answers with 8
/// sends its messages uncompressed.
///
/// ```
/// use endwell_core::ws::WindowBits;
///
/// assert_eq!(WindowBits::new(11).map(WindowBits::bytes), Some(2048));
/// assert_eq!((WindowBits::new(8), WindowBits::new(16)), (None, None));
/// ```
///
/// A compressor with a window that it cannot have does not compile:
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
    /// 32 KiB, what holds where nothing is said.
    pub const MOST: Self = Self(15);

    /// `None`: it is not from 9 to 15.
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
