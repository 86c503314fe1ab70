//! What has arrived: what a look finds, and what it becomes.

use crate::ws::receive::text::Text;
use crate::ws::wire::control::Control;
use crate::ws::wire::header::OpCode;
use crate::ws::wire::kind::Kind;
use crate::{Instant, Payload};

/// What a look finds. It consumes nothing; the engine exchanges it for what it stands for.
#[derive(Debug)]
pub(in crate::ws) enum What {
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
pub(in crate::ws) enum Part {
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
pub(in crate::ws) struct Whole {
    pub(in crate::ws) kind: Kind,
    /// Bytes of the header.
    pub(in crate::ws) header: usize,
    pub(in crate::ws) len: usize,
    pub(in crate::ws) key: [u8; 4],
}

/// What the peer sent, or what is due.
#[derive(Debug)]
pub(in crate::ws) enum Found<'a> {
    Text(Text<'a>),
    Binary(Payload<'a>),
    /// A Ping, which is owed a Pong.
    Ping(Control<'a>),
    Pong(Control<'a>),
    /// A keep-alive ping is due. Any byte that arrives after it shows that the peer is alive.
    PingDue,
    /// The peer's Close, which the engine keeps. It is owed an answer, and nothing comes after it.
    Close,
}

/// A part of a message.
#[derive(Debug)]
pub(in crate::ws) enum FoundPiece<'a> {
    Start(Kind),
    Text(Text<'a>),
    Binary(Payload<'a>),
    End,
}
