//! Reads and writes the header of a frame. RFC 6455 5.2.

use bytes::Bytes;

use super::kind::Kind;
use super::mask;
use super::mask::Masks;
use crate::{Outbox, Violation, convert};

/// The longest payload of a control frame, and the longest length that fits into a header's second byte. RFC 6455 5.5.
pub(in crate::ws) const CONTROL_BYTES: u8 = 125;

/// The longest control frame: header, mask key and payload.
pub(in crate::ws) const CONTROL_FRAME: usize = 2 + 4 + 125;

/// In place of a short length: a length of two bytes follows.
pub(in crate::ws) const LENGTH_16: u8 = 0x7e;
/// In place of a short length: a length of eight bytes follows.
const LENGTH_64: u8 = 0x7f;

const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
/// The bit in the first byte of a message's first frame that marks it as compressed. RFC 7692 6.
pub(in crate::ws) const COMPRESSED: u8 = 0x40;
const MASKED: u8 = 0x80;

/// The type of a frame. RFC 6455 11.8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ws) enum OpCode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

/// The role of the peer. A client masks every frame, a server masks no frame. RFC 6455 5.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ws) enum Peer {
    Client,
    Server,
}

impl Peer {
    /// The mask bit of this peer's frames.
    #[inline]
    pub(in crate::ws) fn mask_bit(self) -> u8 {
        match self {
            Self::Client => MASKED,
            Self::Server => 0,
        }
    }
}

/// The header of a received frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ws) struct Header {
    pub(in crate::ws) fin: bool,
    pub(in crate::ws) opcode: OpCode,
    /// Bytes of payload.
    pub(in crate::ws) len: u64,
    /// Zero for an unmasked payload; masking with zero changes nothing.
    pub(in crate::ws) key: [u8; 4],
    /// Bytes of the header itself.
    pub(in crate::ws) size: usize,
    /// True for the first frame of a compressed message. RFC 7692 6.
    pub(in crate::ws) compressed: bool,
}

impl OpCode {
    fn of(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            _ => return None,
        })
    }

    /// The opcode of a message's first frame.
    pub(in crate::ws) fn of_kind(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text,
            Kind::Binary => Self::Binary,
        }
    }

    const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
        }
    }

    pub(in crate::ws) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }

    /// The first byte of a final frame with this opcode.
    pub(in crate::ws) const fn last(self) -> u8 {
        self.bits() | FIN
    }

    /// The first byte of a frame with this opcode that is continued.
    pub(in crate::ws) fn continued(self) -> u8 {
        self.bits()
    }
}

impl Header {
    /// Reads the header at the start of `bytes`. `None` if it has not arrived completely.
    ///
    /// Bytes are checked in order, each as soon as it arrives, so that no split changes the verdict.
    #[inline]
    pub(in crate::ws) fn parse(bytes: &[u8], peer: Peer) -> Result<Option<Self>, Violation> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        // RFC 6455 5.2: reserved bits mean an extension, and no extension was negotiated.
        if first & RESERVED != 0 {
            return Err(Violation::new("a frame without reserved bits", &[first], "RFC 6455 5.2"));
        }
        Self::parse_behind(first, bytes, peer)
    }

    /// Reads the header of a frame that begins a compressed message. `None` if it does not begin one, so that the error
    /// of [`parse`](Self::parse) stands: the bit is not set, not the only one, or not on a frame that begins a message.
    /// RFC 7692 6.
    #[inline(never)]
    pub(in crate::ws) fn parse_compressed(
        bytes: &[u8],
        peer: Peer,
    ) -> Option<Result<Option<Self>, Violation>> {
        let &first = bytes.first()?;
        if first & RESERVED != COMPRESSED {
            return None;
        }
        match OpCode::of(first & 0x0f)? {
            OpCode::Text | OpCode::Binary => {
                let plain = Self::parse_behind(first & !COMPRESSED, bytes, peer);
                Some(plain.map(|header| header.map(|header| Self { compressed: true, ..header })))
            }
            OpCode::Continuation | OpCode::Close | OpCode::Ping | OpCode::Pong => None,
        }
    }

    #[expect(
        clippy::inline_always,
        reason = "of its two callers one is for every frame and the other is rare"
    )]
    #[inline(always)]
    fn parse_behind(first: u8, bytes: &[u8], peer: Peer) -> Result<Option<Self>, Violation> {
        let opcode = OpCode::of(first & 0x0f)
            .ok_or_else(|| Violation::new("an opcode that is not reserved", &[first], "RFC 6455 5.2"))?;
        let fin = first & FIN != 0;
        if opcode.is_control() && !fin {
            return Err(Violation::new("a control frame that is not fragmented", &[first], "RFC 6455 5.5"));
        }
        let Some(&second) = bytes.get(1) else { return Ok(None) };
        if second & MASKED != peer.mask_bit() {
            let expected = match peer {
                Peer::Client => "a masked frame from a client",
                Peer::Server => "a frame without a mask from a server",
            };
            return Err(Violation::new(expected, &[first, second], "RFC 6455 5.1"));
        }
        let short = second & !MASKED;
        if opcode.is_control() && short > CONTROL_BYTES {
            let expected = "a control frame of at most 125 bytes";
            return Err(Violation::new(expected, &[first, second], "RFC 6455 5.5"));
        }
        let Some((len, size)) = length(short, bytes)? else { return Ok(None) };
        let unmasked = Self { fin, opcode, len, key: [0; 4], size, compressed: false };
        match (peer, bytes.get(size..).and_then(<[u8]>::first_chunk)) {
            (Peer::Client, Some(&key)) => Ok(Some(Self { key, size: size + 4, ..unmasked })),
            (Peer::Client, None) => Ok(None),
            (Peer::Server, _) => Ok(Some(unmasked)),
        }
    }
}

/// The length of the payload, and the offset in the header after it.
#[expect(clippy::inline_always, reason = "as the function that it is a part of")]
#[inline(always)]
fn length(short: u8, bytes: &[u8]) -> Result<Option<(u64, usize)>, Violation> {
    let rest = bytes.get(2..).unwrap_or_default();
    let (len, least, end) = match short {
        LENGTH_16 => {
            let Some(&len) = rest.first_chunk() else { return Ok(None) };
            (u64::from(u16::from_be_bytes(len)), 126, 4)
        }
        LENGTH_64 => {
            if let Some(&high) = rest.first().filter(|&&high| high & 0x80 != 0) {
                return Err(Violation::new("a length below 2^63", &[high], "RFC 6455 5.2"));
            }
            let Some(&len) = rest.first_chunk() else { return Ok(None) };
            (u64::from_be_bytes(len), 1 << 16, 10)
        }
        short => (u64::from(short), 0, 2),
    };
    if len < least {
        let got = rest.get(..end - 2).unwrap_or_default();
        return Err(Violation::new("a length in as few bytes as it takes", got, "RFC 6455 5.2"));
    }
    Ok(Some((len, end)))
}

/// Writes a frame with a borrowed payload. `first` has the opcode and the FIN bit.
#[inline]
pub(in crate::ws) fn put(first: u8, payload: &[u8], masks: Option<&mut Masks>, out: &mut Outbox) {
    match (u8::try_from(payload.len()), masks) {
        (Ok(len @ ..=CONTROL_BYTES), None) => out.put_pair([first, len], payload),
        (_, None) => {
            write_header(first, payload.len(), 0, |bytes| out.put(bytes));
            out.put(payload);
        }
        (_, Some(masks)) => put_masked(first, payload, masks, out),
    }
}

/// Writes an unmasked frame with an owned payload. A large payload is referenced.
#[inline]
pub(in crate::ws) fn put_owned(first: u8, payload: Bytes, out: &mut Outbox) {
    write_header(first, payload.len(), 0, |bytes| out.put(bytes));
    out.put_bytes(payload);
}

/// Writes a frame with a shared payload. It is referenced if it is large and need not be masked.
#[cfg(feature = "deflate")]
pub(in crate::ws) fn put_shared(first: u8, payload: &Bytes, masks: Option<&mut Masks>, out: &mut Outbox) {
    match masks {
        None => {
            write_header(first, payload.len(), 0, |bytes| out.put(bytes));
            out.put_shared(payload);
        }
        Some(masks) => put_masked(first, payload, masks, out),
    }
}

/// Writes a frame, masked with its own key. RFC 6455 5.3.
pub(in crate::ws) fn put_masked(first: u8, payload: &[u8], masks: &mut Masks, out: &mut Outbox) {
    let key = masks.next_key();
    write_header(first, payload.len(), MASKED, |bytes| out.put(bytes));
    out.put(&key);
    mask::apply(key, out.put_mut(payload));
}

/// Passes a header without its key to `put`, in order. RFC 6455 5.2.
#[inline]
pub(in crate::ws) fn write_header(first: u8, len: usize, mask_bit: u8, mut put: impl FnMut(&[u8])) {
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len @ ..=CONTROL_BYTES), _) => put(&[first, mask_bit | len]),
        (_, Ok(len)) => {
            let [a, b] = len.to_be_bytes();
            put(&[first, mask_bit | LENGTH_16, a, b]);
        }
        (_, Err(_)) => {
            put(&[first, mask_bit | LENGTH_64]);
            put(&convert::u64_from(len).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;
    use bytes::Buf;

    use super::*;

    fn written(len: usize, masks: Option<&mut Masks>) -> Vec<u8> {
        let mut out = Outbox::default();
        put(OpCode::Binary.last(), &vec![7; len], masks, &mut out);
        out.copy_to_bytes(out.len()).to_vec()
    }

    #[test]
    fn what_is_written_is_read_back_byte_by_byte() {
        for len in [0, 1, 125, 126, 127, 65_535, 65_536] {
            for peer in [Peer::Server, Peer::Client] {
                let mut masks = Masks::new(|| [1, 2, 3, 4]);
                let bytes = written(len, (peer == Peer::Client).then_some(&mut masks));
                let header = Header::parse(&bytes, peer).unwrap().unwrap();
                assert_eq!((header.fin, header.opcode), (true, OpCode::Binary));
                assert_eq!(header.len, u64::try_from(len).unwrap());
                assert_eq!(header.size + len, bytes.len());
                for cut in 0..header.size {
                    assert_eq!(Header::parse(&bytes[..cut], peer).unwrap(), None);
                }
                let mut payload = bytes[header.size..].to_vec();
                mask::apply(header.key, &mut payload);
                assert_eq!(payload, vec![7; len]);
            }
        }
    }

    #[test]
    fn what_is_refused_is_refused_at_its_first_byte() {
        // The header, the peer, and the number of bytes that it takes to know.
        let refused: [(&[u8], Peer, usize); 14] = [
            (&[0xc1], Peer::Server, 1),
            (&[0xa1], Peer::Server, 1),
            (&[0x91], Peer::Server, 1),
            (&[0x83], Peer::Server, 1),
            (&[0x87], Peer::Server, 1),
            (&[0x8b], Peer::Server, 1),
            (&[0x8f], Peer::Server, 1),
            (&[0x09], Peer::Server, 1),
            (&[0x89, 126], Peer::Server, 2),
            (&[0x81, 0x80], Peer::Server, 2),
            (&[0x81, 0x00], Peer::Client, 2),
            (&[0x82, 126, 0, 125], Peer::Server, 4),
            (&[0x82, 127, 0x80], Peer::Server, 3),
            (&[0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff], Peer::Server, 10),
        ];
        for (bytes, peer, known) in refused {
            for cut in 0..=bytes.len() {
                let verdict = Header::parse(&bytes[..cut], peer);
                assert_eq!(verdict.is_err(), cut >= known, "{bytes:x?} cut at {cut}");
            }
        }
    }
}
