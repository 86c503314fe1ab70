//! What is received.

use super::text::Text;
use crate::Payload;
use crate::ws::failure::Cause;
use crate::ws::wire::close::Close;
use crate::ws::wire::control::Control;
use crate::ws::wire::kind::Kind;

/// What the peer sent. What it is owed for a Ping is queued already.
#[derive(Debug)]
pub enum Event<'a> {
    /// A text message.
    Text(Text<'a>),
    /// A binary message.
    Binary(Payload<'a>),
    /// A Ping, which is answered.
    Ping(Control<'a>),
    /// A Pong: the answer to a Ping, or unsolicited (RFC 6455 5.5.3).
    Pong(Control<'a>),
    /// The peer's Close. Nothing comes after it, and asking again returns it again. The socket can still write, and its
    /// [`close`](crate::ws::Socket::close) answers it.
    Close(&'a Close),
    /// Nothing more is received: the peer broke the protocol, met a limit, or ended the stream without a Close. Asking
    /// again returns it again. [`close`](crate::ws::Socket::close) tells the peer why.
    Failed(&'a Cause),
}

/// A part of a message that is received in pieces, or what comes beside it. RFC 6455 5.4.
///
/// A message is a `Start`, any number of pieces of its kind, and an `End`, whatever its frames. The pieces depend on how
/// the message arrives, and their boundaries mean nothing. No piece is empty.
#[derive(Debug)]
pub enum Piece<'a> {
    /// A message begins.
    Start(Kind),
    /// More of a text message: complete characters. The bytes of a split character come with the next piece.
    Text(Text<'a>),
    /// More of a binary message.
    Binary(Payload<'a>),
    /// The message is complete.
    End,
    /// A Ping, which is answered.
    Ping(Control<'a>),
    /// A Pong.
    Pong(Control<'a>),
    /// The peer's Close, as [`Event::Close`].
    Close(&'a Close),
    /// Nothing more is received, as [`Event::Failed`].
    Failed(&'a Cause),
}
