//! Writes messages.

use core::fmt;

use bytes::Bytes;

use super::{Idle, Within};
use crate::Outbox;
use crate::ws::send::frame::Frame;
use crate::ws::send::message::{DataMessage, Full};
use crate::ws::send::sender::Sender;
use crate::ws::wire::control::Control;
use crate::ws::wire::header::OpCode;
use crate::ws::wire::kind::Kind;
use crate::ws::wire::utf8;

/// The writing side of a socket, lent. `W` is its right: [`Idle`] writes whole messages, and [`Within`] the pieces of
/// the one that has begun.
#[derive(Debug)]
pub struct Writer<'a, W> {
    sender: &'a mut Sender,
    outbox: &'a mut Outbox,
    right: &'a mut W,
}

impl<'a, W> Writer<'a, W> {
    #[inline]
    pub(super) fn new(sender: &'a mut Sender, outbox: &'a mut Outbox, right: &'a mut W) -> Self {
        Self { sender, outbox, right }
    }

    /// True if `len` bytes of data are accepted now: they stay within
    /// [`OutboxLimits::bytes`](crate::OutboxLimits::bytes), or nothing is queued. Otherwise a message larger than that
    /// could never be sent, although it is in memory anyway.
    #[inline]
    pub fn fits(&self, len: usize) -> bool {
        Sender::fits(len, self.outbox)
    }

    /// Writes a Ping.
    ///
    /// # Errors
    ///
    /// Returns the payload if even the reserve for control frames is full.
    pub fn ping<'p>(&mut self, payload: Control<'p>) -> Result<(), Full<Control<'p>>> {
        self.sender.ping(payload, self.outbox)
    }
}

impl Writer<'_, Idle> {
    /// Writes a borrowed text message.
    ///
    /// # Errors
    ///
    /// If it does not [fit](Self::fits) now. Nothing of it was written.
    #[inline]
    pub fn text<'t>(&mut self, text: &'t str) -> Result<(), Full<&'t str>> {
        self.sender.text(text, self.outbox)
    }

    /// Writes a borrowed binary message.
    ///
    /// # Errors
    ///
    /// If it does not [fit](Self::fits) now. Nothing of it was written.
    #[inline]
    pub fn binary<'d>(&mut self, data: &'d [u8]) -> Result<(), Full<&'d [u8]>> {
        self.sender.binary(data, self.outbox)
    }

    /// Writes an owned message. A large one is referenced, unless it must be masked.
    ///
    /// # Errors
    ///
    /// Returns the message if it does not [fit](Self::fits) now.
    pub fn message(&mut self, message: DataMessage) -> Result<(), Full<DataMessage>> {
        self.sender.message(message, self.outbox)
    }

    /// Writes a message that was encoded once for many connections. Unless it must be masked, a large one is referenced
    /// and a small one is copied.
    ///
    /// # Errors
    ///
    /// If it does not [fit](Self::fits) now, by the length of its content. Nothing of it was written.
    #[inline]
    pub fn frame<'f>(&mut self, frame: &'f Frame) -> Result<(), Full<&'f Frame>> {
        self.sender.frame(frame, self.outbox)
    }
}

impl Writer<'_, Within> {
    /// Text or binary.
    pub fn kind(&self) -> Kind {
        self.right.kind
    }

    /// Writes a piece as a frame of its own. An empty piece writes nothing.
    ///
    /// In a compressed message, the peer can decompress each piece as soon as it arrives. So small pieces hardly
    /// shrink, and an incompressible one grows by some bytes.
    ///
    /// # Errors
    ///
    /// Returns the piece, of which nothing was written, if it does not [fit](Self::fits) now or is not text.
    pub fn write(&mut self, data: Bytes) -> Result<(), PieceNotWritten> {
        if data.is_empty() {
            return Ok(());
        }
        if !self.fits(data.len()) {
            return Err(PieceNotWritten::Full(data));
        }
        if self.right.kind == Kind::Text && utf8::check(&data).is_err() {
            return Err(PieceNotWritten::NotText(data));
        }
        self.sender.fragment(self.right.next.continued(), data, self.outbox);
        self.right.next = OpCode::Continuation;
        Ok(())
    }
}

/// A piece that was not written, handed back.
#[derive(Debug, PartialEq, Eq)]
pub enum PieceNotWritten {
    /// The outbox has no room for the piece now.
    Full(Bytes),
    /// The message is text and the piece is not UTF-8. Pieces of text must be split between characters.
    NotText(Bytes),
}

impl fmt::Display for PieceNotWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(data) => write!(f, "the outbox has no room for {} bytes", data.len()),
            Self::NotText(_) => f.write_str("expected UTF-8 in a text message (RFC 6455 8.1)"),
        }
    }
}

impl core::error::Error for PieceNotWritten {}
