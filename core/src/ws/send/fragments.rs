//! Writes a message in pieces. RFC 6455 5.4.

use bytes::Bytes;
use core::fmt;

use super::message::Full;
use super::sender::{CloseSent, Sender};
use crate::Outbox;
use crate::ws::deflate::Compression;
use crate::ws::failure::Failure;
use crate::ws::receive::owed::{PeerClose, Ping, PingDue};
use crate::ws::wire::close::Close;
use crate::ws::wire::control::Control;
use crate::ws::wire::header::OpCode;
use crate::ws::wire::kind::Kind;
use crate::ws::wire::utf8;

/// The right to write, within a message: only control frames may come between its pieces.
///
/// [`finish`](Self::finish) ends the message and returns the [`Sender`]. A Close ends everything; the peer then
/// discards the message.
#[derive(Debug)]
#[must_use = "a message that is not finished keeps the right to write"]
pub struct Fragments {
    sender: Sender,
    kind: Kind,
    next: OpCode,
}

/// A piece that was not written, handed back.
#[derive(Debug, PartialEq, Eq)]
pub enum NotWritten {
    /// The outbox has no room for the piece now.
    Full(Bytes),
    /// The message is text and the piece is not UTF-8. Pieces of text must be split between characters.
    NotText(Bytes),
}

impl fmt::Display for NotWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(data) => write!(f, "the outbox has no room for {} bytes", data.len()),
            Self::NotText(_) => f.write_str("expected UTF-8 in a text message (RFC 6455 8.1)"),
        }
    }
}

impl core::error::Error for NotWritten {}

impl Fragments {
    pub(in crate::ws) fn new(mut sender: Sender, kind: Kind, compression: Compression) -> Self {
        sender.begin_fragments(compression);
        Self { sender, kind, next: OpCode::of_kind(kind) }
    }

    /// Text or binary.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Writes a piece as a frame of its own. An empty piece writes nothing.
    ///
    /// In a compressed message, the peer can decompress each piece as soon as it arrives. So small pieces hardly
    /// shrink, and an incompressible one grows by some bytes.
    ///
    /// # Errors
    ///
    /// Returns the piece, of which nothing was written, if it does not fit now or is not text.
    pub fn write(&mut self, data: Bytes, out: &mut Outbox) -> Result<(), NotWritten> {
        if data.is_empty() {
            return Ok(());
        }
        if !Sender::fits(data.len(), out) {
            return Err(NotWritten::Full(data));
        }
        if self.kind == Kind::Text && utf8::check(&data).is_err() {
            return Err(NotWritten::NotText(data));
        }
        self.sender.fragment(self.next.continued(), data, out);
        self.next = OpCode::Continuation;
        Ok(())
    }

    /// True if compression was agreed on.
    #[cfg(feature = "deflate")]
    pub fn deflates(&self) -> bool {
        self.sender.deflates()
    }

    /// The memory held, in bytes: see [`Sender::held_bytes`].
    pub fn held_bytes(&self) -> usize {
        self.sender.held_bytes()
    }

    /// Ends the message and returns the right to write the next one.
    pub fn finish(mut self, out: &mut Outbox) -> Sender {
        self.sender.end_fragments(self.next.last(), out);
        self.sender
    }

    /// Writes a Ping: see [`Sender::ping`].
    ///
    /// # Errors
    ///
    /// Returns the payload if even the reserve for control frames is full.
    pub fn ping<'p>(&mut self, payload: Control<'p>, out: &mut Outbox) -> Result<(), Full<Control<'p>>> {
        self.sender.ping(payload, out)
    }

    /// Writes the Pong for a Ping: see [`Sender::pong`].
    pub fn pong(&mut self, ping: Ping<'_>, out: &mut Outbox) {
        self.sender.pong(ping, out);
    }

    /// Writes the Pong that did not fit before: see [`Sender::settle`].
    #[inline]
    pub fn settle(&mut self, out: &mut Outbox) {
        self.sender.settle(out);
    }

    /// Writes the keep-alive ping that is due: see [`Sender::keep_alive`].
    pub fn keep_alive(&mut self, due: PingDue, out: &mut Outbox) {
        self.sender.keep_alive(due, out);
    }

    /// Writes our Close within the message, which stays unfinished.
    pub fn close(self, close: Close, out: &mut Outbox) -> CloseSent {
        self.sender.close(close, out)
    }

    /// Answers the peer's Close: see [`Sender::answer`].
    pub fn answer(self, close: PeerClose, out: &mut Outbox) -> CloseSent {
        self.sender.answer(close, out)
    }

    /// Tells the peer why nothing more is received: see [`Sender::fail`].
    pub fn fail(self, failure: Failure, out: &mut Outbox) -> CloseSent {
        self.sender.fail(failure, out)
    }
}
