//! The part of a message that has arrived and left the inbox.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use super::event::{Event, Piece};
use super::text::Text;
use crate::ws::failure::Cause;
use crate::ws::wire::kind::Kind;
use crate::ws::wire::utf8::{NotText, Partial};
use crate::{Payload, Violation};

/// The part of a message that has left the inbox and was not handed out. Every byte of text is known to be UTF-8.
///
/// It allocates for the bytes that came, never for the announced length: at most twice as much.
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

impl Gathered {
    /// The memory that it has, in bytes.
    pub(super) fn capacity(&self) -> usize {
        match self {
            Self::Text(text) => text.capacity(),
            Self::Binary(bytes) => bytes.capacity(),
        }
    }

    /// Lends it as a message.
    pub(super) fn event(&mut self) -> Event<'_> {
        match self {
            Self::Text(text) => Event::Text(Text::gathered(text)),
            Self::Binary(bytes) => Event::Binary(Payload::gathered(bytes)),
        }
    }

    /// Lends it as a piece of a message.
    pub(super) fn piece(&mut self) -> Piece<'_> {
        match self {
            Self::Text(text) => Piece::Text(Text::gathered(text)),
            Self::Binary(bytes) => Piece::Binary(Payload::gathered(bytes)),
        }
    }
}

impl Content {
    pub(super) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(String::new(), Partial::default()),
            Kind::Binary => Self::Binary(Vec::new()),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Text(..) => Kind::Text,
            Self::Binary(_) => Kind::Binary,
        }
    }

    /// True if complete characters or bytes have arrived.
    pub(super) fn holds_piece(&self) -> bool {
        match self {
            Self::Text(text, _) => !text.is_empty(),
            Self::Binary(bytes) => !bytes.is_empty(),
        }
    }

    /// Takes the complete characters or bytes that have arrived. The bytes of a split character stay.
    pub(super) fn take_piece(&mut self) -> Gathered {
        match self {
            Self::Text(text, _) => Gathered::Text(mem::take(text)),
            Self::Binary(bytes) => Gathered::Binary(mem::take(bytes)),
        }
    }

    /// The memory that it has, in bytes.
    pub(super) fn capacity(&self) -> usize {
        match self {
            Self::Text(text, _) => text.capacity(),
            Self::Binary(bytes) => bytes.capacity(),
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
    pub(super) fn check_end(&self) -> Result<(), Cause> {
        match self {
            Self::Text(_, partial) if !partial.is_none() => Err(Cause::NotText(not_text(NotText(*partial)))),
            Self::Text(..) | Self::Binary(_) => Ok(()),
        }
    }
}

/// Reports text that is not UTF-8.
#[cold]
pub(super) fn not_text(NotText(found): NotText) -> Violation {
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
