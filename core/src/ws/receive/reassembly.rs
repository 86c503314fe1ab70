//! Reassembles a message from its frames, or a frame from its parts, as they arrive. RFC 6455 5.4.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use crate::ws::failure::Cause;
use crate::ws::limits::Limits;
use crate::ws::wire::header::Header;
use crate::ws::wire::kind::Kind;
use crate::ws::wire::mask;
use crate::ws::wire::utf8::{NotText, Partial};
use crate::{Bound, Exceeded, Inbox, Limit, Violation, convert};

/// A message that has begun and could not be handed out from the inbox.
///
/// It allocates for the bytes that came, never for the announced length: at most twice as much.
#[derive(Debug)]
pub(in crate::ws) struct Gathering {
    content: Content,
    place: Place,
    frames: usize,
}

/// The receiver's position in the message.
#[derive(Clone, Copy, Debug)]
pub(in crate::ws) enum Place {
    /// After a frame that is continued.
    BetweenFrames,
    /// In the payload of a frame. The key is rotated to the next byte.
    Payload { remaining: u64, key: [u8; 4], fin: bool },
    /// After the last frame.
    Whole,
}

impl Place {
    /// The bytes of the frame's payload that have not arrived.
    pub(in crate::ws) fn remaining(self) -> u64 {
        match self {
            Self::Payload { remaining, .. } => remaining,
            Self::BetweenFrames | Self::Whole => 0,
        }
    }
}

/// The part of a message that has arrived. Every byte of text is known to be UTF-8.
#[derive(Debug)]
pub(in crate::ws) enum Content {
    Text(String, Partial),
    Binary(Vec<u8>),
}

/// A reassembled message, or a piece of one.
#[derive(Debug)]
pub(in crate::ws) enum Gathered {
    Text(String),
    Binary(Vec<u8>),
}

/// How far a message is reassembled.
pub(in crate::ws) enum Gain {
    /// More of the frame must come.
    Nothing,
    /// The frame is complete: the next header comes.
    Frame,
    /// The message is complete.
    Message,
}

impl Gathering {
    pub(in crate::ws) fn new(kind: Kind) -> Self {
        Self { content: Content::new(kind), place: Place::BetweenFrames, frames: 0 }
    }

    /// True if a header comes next.
    pub(in crate::ws) fn is_between_frames(&self) -> bool {
        matches!(self.place, Place::BetweenFrames)
    }

    /// The receiver's position in the message.
    pub(in crate::ws) fn place(&self) -> Place {
        self.place
    }

    /// True if the message is complete.
    pub(in crate::ws) fn is_whole(&self) -> bool {
        matches!(self.place, Place::Whole)
    }

    /// Starts a frame of this message. Checks the limits before the frame's payload arrives.
    pub(in crate::ws) fn start(&mut self, header: &Header, limits: &Limits) -> Result<(), Cause> {
        self.frames += 1;
        if self.frames > limits.fragments {
            return Err(Exceeded::count(Limit::FragmentCount, limits.fragments).into());
        }
        check_length(header.len, self.content.len(), limits)?;
        self.place = Place::Payload { remaining: header.len, key: header.key, fin: header.fin };
        Ok(())
    }

    /// Moves the payload that has arrived out of the inbox. Returns the number of bytes, and how far it got.
    pub(in crate::ws) fn gather(&mut self, inbox: &mut Inbox) -> Result<(usize, Gain), Cause> {
        let Place::Payload { remaining, key, fin } = self.place else { return Ok((0, Gain::Nothing)) };
        let ahead = convert::usize_from(remaining);
        let bytes = inbox.read(0, ahead);
        mask::apply(key, bytes);
        let key = mask::turned(key, bytes.len());
        self.content.push(bytes, ahead)?;
        let remaining = remaining.saturating_sub(convert::u64_from(bytes.len()));
        let (place, gain) = match (remaining, fin) {
            (1.., _) => (Place::Payload { remaining, key, fin }, Gain::Nothing),
            (0, false) => (Place::BetweenFrames, Gain::Frame),
            (0, true) => {
                self.content.check_end()?;
                (Place::Whole, Gain::Message)
            }
        };
        self.place = place;
        Ok((bytes.len(), gain))
    }

    /// The memory held, in bytes, as far as it is used.
    pub(in crate::ws) fn held_bytes(&self) -> usize {
        self.content.len()
    }

    pub(in crate::ws) fn into_gathered(mut self) -> Gathered {
        self.content.take_piece()
    }

    /// Text or binary.
    pub(in crate::ws) fn kind(&self) -> Kind {
        self.content.kind()
    }

    /// The part that has arrived, and the position in the message: the rest is handed out in pieces.
    pub(in crate::ws) fn into_parts(self) -> (Content, Place) {
        (self.content, self.place)
    }
}

/// Refuses a frame of `len` bytes after `before` bytes of the same message. RFC 6455 10.4.
pub(in crate::ws) fn check_length(len: u64, before: usize, limits: &Limits) -> Result<(), Cause> {
    let exceeded = |limit, bound| Err(Exceeded { limit, bound: Bound::Bytes(bound) }.into());
    if len > limits.frame_bytes {
        return exceeded(Limit::FrameBytes, limits.frame_bytes);
    }
    if convert::u64_from(before).saturating_add(len) > limits.message_bytes {
        return exceeded(Limit::MessageBytes, limits.message_bytes);
    }
    Ok(())
}

impl Gathered {
    pub(in crate::ws) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

impl Content {
    pub(in crate::ws) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(String::new(), Partial::default()),
            Kind::Binary => Self::Binary(Vec::new()),
        }
    }

    pub(in crate::ws) fn kind(&self) -> Kind {
        match self {
            Self::Text(..) => Kind::Text,
            Self::Binary(_) => Kind::Binary,
        }
    }

    /// True if complete characters or bytes have arrived.
    pub(in crate::ws) fn holds_piece(&self) -> bool {
        match self {
            Self::Text(text, _) => !text.is_empty(),
            Self::Binary(bytes) => !bytes.is_empty(),
        }
    }

    /// Takes the complete characters or bytes that have arrived. The bytes of a split character stay.
    pub(in crate::ws) fn take_piece(&mut self) -> Gathered {
        match self {
            Self::Text(text, _) => Gathered::Text(mem::take(text)),
            Self::Binary(bytes) => Gathered::Binary(mem::take(bytes)),
        }
    }

    pub(in crate::ws) fn len(&self) -> usize {
        match self {
            Self::Text(text, partial) => text.len() + partial.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// The bytes that have arrived, in two parts.
    #[cfg(feature = "deflate")]
    pub(in crate::ws) fn parts(&self) -> [&[u8]; 2] {
        match self {
            Self::Text(text, partial) => [text.as_bytes(), partial.bytes()],
            Self::Binary(bytes) => [bytes, &[]],
        }
    }

    /// Adds `bytes`. `ahead` bytes of the frame were still to come, these included.
    pub(in crate::ws) fn push(&mut self, bytes: &[u8], ahead: usize) -> Result<(), Cause> {
        match self {
            Self::Text(text, partial) => {
                // The split character may be completed.
                let (add, ahead) = (bytes.len() + partial.len(), ahead.saturating_add(partial.len()));
                text.reserve_exact(growth(text.capacity(), text.len(), add, ahead));
                partial.push(bytes, text).map_err(|found| Cause::NotText(not_text(found)))
            }
            Self::Binary(all) => {
                all.reserve_exact(growth(all.capacity(), all.len(), bytes.len(), ahead));
                all.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Checks that the message does not end within a character.
    pub(in crate::ws) fn check_end(&self) -> Result<(), Cause> {
        match self {
            Self::Text(_, partial) if !partial.is_none() => Err(Cause::NotText(not_text(NotText(*partial)))),
            Self::Text(..) | Self::Binary(_) => Ok(()),
        }
    }
}

/// Reports text that is not UTF-8.
#[cold]
pub(in crate::ws) fn not_text(NotText(found): NotText) -> Violation {
    Violation::new("text in UTF-8", found.bytes(), "RFC 6455 8.1")
}

/// The number of bytes to reserve beyond `len`, so that `add` fit: twice the capacity, but no more than was announced.
fn growth(capacity: usize, len: usize, add: usize, ahead: usize) -> usize {
    let needed = len.saturating_add(add);
    if needed <= capacity {
        return 0;
    }
    let target = capacity.saturating_mul(2).min(len.saturating_add(ahead)).max(needed);
    target - len
}
