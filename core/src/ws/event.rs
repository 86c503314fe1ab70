//! What a poll finds, and what it is exchanged for.

use super::frame::OpCode;
use super::message::{Control, Kind, PeerClose, Ping, PingDue, Text};
use crate::{Instant, Payload};

/// Something has arrived: exchange it for the [`Event`] with [`Receiver::event`](super::Receiver::event), before the next poll.
///
/// It lets a loop poll, return if there is something, and read more if not, without borrowing the event.
#[derive(Debug)]
#[must_use = "exchange it for the event"]
pub struct Ready(pub(super) What);

#[derive(Debug)]
pub(super) enum What {
    /// An unfragmented message that lies whole in the inbox.
    Message(Whole),
    /// A control frame, likewise.
    Control(OpCode, Whole),
    /// A message that was gathered.
    Gathered,
    /// A part of a message, where pieces are asked for.
    Piece(Part),
    PingDue(Instant),
    Failing,
}

/// A part of a message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// A message whose first header lies in the inbox.
    Start(Kind),
    /// A message that was gathered so far.
    Gathered(Kind),
    /// So many bytes of payload in the inbox. If it is text, they end between characters.
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
    /// A Ping, which is owed a Pong.
    Ping(Ping<'a>),
    /// A Pong: the answer to a Ping, or unasked (RFC 6455 5.5.3).
    Pong(Control<'a>),
    /// A keep-alive ping is due. What is heard after it shows that the peer is there.
    PingDue(PingDue),
    /// The peer's Close, which is owed an answer. Nothing comes after it.
    Close(PeerClose),
}
