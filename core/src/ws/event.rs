//! What a poll finds, and the events that it yields.

use crate::ws::receive::owed::{PeerClose, Ping, PingDue};
use crate::ws::receive::text::Text;
use crate::ws::wire::control::Control;
use crate::ws::wire::header::OpCode;
use crate::ws::wire::kind::Kind;
use crate::{Instant, Payload};

/// A token for what has arrived: exchange it for the [`Event`] with [`Receiver::event`](super::Receiver::event), before
/// the next poll.
///
/// A loop can thus poll, return if an event is ready, and read more if not, without borrowing the event.
#[derive(Debug)]
#[must_use = "exchange it for the event"]
pub struct Ready(pub(super) What);

#[derive(Debug)]
pub(super) enum What {
    /// An unfragmented message, complete in the inbox.
    Message(Whole),
    /// A control frame, complete in the inbox.
    Control(OpCode, Whole),
    /// A message that was reassembled.
    Gathered,
    /// A part of a message, for a caller that asks for pieces.
    Piece(Part),
    PingDue(Instant),
    Failing,
}

/// A part of a message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// A message whose first header is in the inbox.
    Start(Kind),
    /// The part of a message that was gathered so far.
    Gathered(Kind),
    /// This many bytes of payload in the inbox. In text, they end between characters.
    Payload(usize),
    /// A piece that has left the inbox.
    Held,
    End,
}

/// A whole frame in the inbox.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole {
    pub(super) kind: Kind,
    /// Bytes of the header.
    pub(super) header: usize,
    pub(super) len: usize,
    pub(super) key: [u8; 4],
}

/// What the peer sent, or what is due.
#[derive(Debug)]
pub enum Event<'a> {
    /// A text message.
    Text(Text<'a>),
    /// A binary message.
    Binary(Payload<'a>),
    /// A Ping, which must be answered with a Pong.
    Ping(Ping<'a>),
    /// A Pong: the answer to a Ping, or unsolicited (RFC 6455 5.5.3).
    Pong(Control<'a>),
    /// A keep-alive ping is due. Any byte that arrives after it shows that the peer is alive.
    PingDue(PingDue),
    /// The peer's Close, which must be answered. Nothing comes after it.
    Close(PeerClose),
}
