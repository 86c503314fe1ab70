//! Receives messages: whole, in pieces, or discarded; plain or inflated.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::mem;

use super::ahead::Ahead;
use super::content::Gathered;
use super::counts::{Counts, Form};
use super::keep_alive::{Jitter, KeepAlive};
use super::message::{Message, Reception, Step, Taken};
use super::ready::{Part, Signal, What, Whole};
use crate::time::Clock;
use crate::ws::deflate::{Inflating, Receiving};
use crate::ws::failure::Cause;
use crate::ws::limits::SocketLimits;
use crate::ws::wire::close::Close;
use crate::ws::wire::header::{CONTROL_BYTES, Header, LENGTH_16, OpCode, Peer};
use crate::ws::wire::kind::Kind;
use crate::{Inbox, Instant, Violation, convert};

/// What receives the messages of a WebSocket.
///
/// It never writes: what the peer is owed is returned. After the peer's Close or a failure nothing more is processed (RFC
/// 6455 7.1.7).
#[derive(Debug)]
pub(in crate::ws) struct Engine {
    pub(in crate::ws) state: State,
    pub(in crate::ws) peer: Peer,
    /// The largest payloads of a whole message on the fast path: with a short length, and with a length of two bytes.
    small: u8,
    whole: u16,
    /// Where the last look ahead stopped, if the inbox knows that place.
    pub(super) ahead: Ahead,
    pub(in crate::ws) limits: Arc<SocketLimits>,
    pub(in crate::ws) clock: Clock,
    pub(in crate::ws) keep_alive: KeepAlive,
    /// The state for decompression, if messages may be compressed. A compressed message in flight has it.
    pub(in crate::ws) deflate: Option<Receiving>,
}

/// What came last.
#[derive(Debug)]
pub(in crate::ws) enum State {
    /// A message, or nothing yet. Only the clock of the pings runs.
    Idle,
    /// The first bytes of a header or of a control frame. The clock of the message runs.
    Begun,
    /// The start of a message in pieces was handed out. Its header comes next, and is in the inbox.
    Started,
    /// A part of a message.
    Message(Box<Message>),
    /// A reassembled message that is handed out; the next call drops it.
    HandedOut(Box<Gathered>),
    /// A failure that ends everything, not handed out yet.
    Failing(Box<Cause>),
    /// A failure that was handed out.
    Failed(Box<Cause>),
    /// The peer's Close, handed out.
    Closed(Box<Close>),
    /// Our Close is written, and all is discarded up to the peer's. So many bytes are left of the frame.
    Discarding(u64),
}

impl Engine {
    pub(in crate::ws) fn new(peer: Peer, limits: Arc<SocketLimits>, jitter: Jitter) -> Self {
        Self {
            state: State::Idle,
            peer,
            small: limits.small(),
            whole: limits.whole(),
            ahead: Ahead::Message,
            keep_alive: KeepAlive::new(jitter),
            limits,
            clock: Clock::default(),
            deflate: None,
        }
    }

    /// True if the peer's Close or a failure was handed out: nothing more comes.
    pub(in crate::ws) fn is_over(&self) -> bool {
        matches!(self.state, State::Failed(_) | State::Closed(_))
    }

    /// Returns what is ready if that takes only a glance.
    #[inline]
    pub(in crate::ws) fn poll_quickly(&self, inbox: &Inbox) -> Option<What> {
        match self.state {
            State::Idle => self.whole_frame(inbox),
            State::Begun
            | State::Started
            | State::Message(_)
            | State::HandedOut(_)
            | State::Failing(_)
            | State::Failed(_)
            | State::Closed(_)
            | State::Discarding(_) => None,
        }
    }

    /// An unfragmented message of less than 64 KiB, complete in the inbox: nearly every message. All else, and all that is
    /// refused, takes the slow path.
    #[inline]
    fn whole_frame(&self, inbox: &Inbox) -> Option<What> {
        let unread = inbox.unread();
        let (&[first, second], rest) = unread.split_first_chunk()?;
        let kind = match first {
            TEXT => Kind::Text,
            BINARY => Kind::Binary,
            _ => return None,
        };
        // A wrong mask bit makes the length larger than any.
        match second ^ self.peer.mask_bit() {
            len if len <= self.small => self.whole_payload(kind, (2, usize::from(len)), rest),
            LENGTH_16 => {
                let (&len, rest) = rest.split_first_chunk()?;
                let len = u16::from_be_bytes(len);
                // RFC 6455 5.2: a length takes as few bytes as it can.
                let is_short = len <= u16::from(CONTROL_BYTES);
                if is_short || len > self.whole {
                    None
                } else {
                    self.whole_payload(kind, (4, len.into()), rest)
                }
            }
            _ => None,
        }
    }

    /// The message, if its mask key and its `len` bytes of payload are in `rest`. `size` bytes of header come before.
    #[expect(
        clippy::inline_always,
        reason = "each short frame passes it, and a call would move what it finds"
    )]
    #[inline(always)]
    fn whole_payload(&self, kind: Kind, (size, len): (usize, usize), rest: &[u8]) -> Option<What> {
        let (key, rest, header) = match self.peer {
            Peer::Client => {
                let (&key, rest) = rest.split_first_chunk()?;
                (key, rest, size + 4)
            }
            Peer::Server => ([0; 4], rest, size),
        };
        (rest.len() >= len).then_some(What::Message(kind, Whole { header, len, key }))
    }

    /// Returns what is ready or due. It parses the headers of frames and reassembles messages that do not fit in one piece.
    /// Asking twice returns the same. A whole message that is asked for skips the rest of one in pieces.
    #[inline(never)]
    pub(in crate::ws) fn poll_slowly(&mut self, inbox: &mut Inbox, reception: Reception) -> Look {
        match self.advance(inbox, reception) {
            Ok(look) => look,
            Err(cause) => {
                self.state = State::Failing(Box::new(cause));
                Look::Ready(What::Failing)
            }
        }
    }

    fn advance(&mut self, inbox: &mut Inbox, reception: Reception) -> Result<Look, Cause> {
        let mut decompressed = 0;
        loop {
            let step = match &mut self.state {
                State::Failing(_) => Step::Ready(What::Failing),
                State::Failed(_) | State::Closed(_) | State::Discarding(_) => {
                    inbox.discard();
                    return Ok(Look::Nothing);
                }
                State::HandedOut(_) => Step::Over,
                State::Message(message) => {
                    let parts = (&mut self.clock, &*self.limits);
                    message.advance(reception, inbox, parts, &mut decompressed)?
                }
                State::Idle | State::Begun | State::Started => Step::Header,
            };
            let step = if let Step::Header = step { self.advance_header(inbox, reception)? } else { step };
            match step {
                Step::Ready(what) => return Ok(Look::Ready(what)),
                Step::Nothing => return self.wait(inbox),
                Step::Over => self.end_message(),
                Step::Header => {}
                Step::Later => return Ok(Look::Later),
            }
        }
    }

    /// Reads on where a header comes next.
    fn advance_header(&mut self, inbox: &mut Inbox, reception: Reception) -> Result<Step, Cause> {
        let unread = inbox.unread();
        let Some(header) = self.header(unread)? else { return Ok(Step::Nothing) };
        let len = convert::usize_from(header.len);
        let is_here = unread.len().saturating_sub(header.size) >= len;
        let frame = Whole { header: header.size, len, key: header.key };
        let kind = match header.opcode {
            OpCode::Continuation => None,
            OpCode::Text => Some(Kind::Text),
            OpCode::Binary => Some(Kind::Binary),
            OpCode::Close | OpCode::Ping | OpCode::Pong if !is_here => return Ok(Step::Nothing),
            OpCode::Close => return Ok(self.complete(What::Control(Signal::Close, frame))),
            OpCode::Ping => return Ok(self.complete(What::Control(Signal::Ping, frame))),
            OpCode::Pong => return Ok(self.complete(What::Control(Signal::Pong, frame))),
        };
        match (kind, &mut self.state) {
            (None, State::Message(message)) => message.begin_frame(&header, &self.limits)?,
            (Some(_), State::Message(_)) => {
                return Err(out_of_order("the rest of a message before the next", unread));
            }
            (None, _) => return Err(out_of_order("no continuation where no message was begun", unread)),
            (Some(kind), State::Started) => self.begin_message(kind, Taken::Pieces, &header)?,
            (Some(kind), _) => match reception {
                Reception::Pieces => return Ok(Step::Ready(What::Piece(Part::Start(kind)))),
                Reception::Whole if header.fin && is_here && !header.compressed => {
                    Counts::default().add(header.len, Form::Plain, Taken::Whole, &self.limits)?;
                    return Ok(self.complete(What::Message(kind, frame)));
                }
                // The clock keeps running: it is the clock of the message, from its first byte.
                Reception::Whole => self.begin_message(kind, Taken::Whole, &header)?,
            },
        }
        inbox.consume(header.size);
        Ok(Step::Header)
    }

    /// Parses the header at the start of `unread`. `None` if it has not arrived completely.
    #[expect(clippy::inline_always, reason = "each frame passes it, and a call would move the header")]
    #[inline(always)]
    pub(super) fn header(&self, unread: &[u8]) -> Result<Option<Header>, Violation> {
        match Header::parse(unread, self.peer) {
            Ok(header) => Ok(header),
            Err(violation) => self.compressed_header(unread, violation),
        }
    }

    /// If compression was agreed on, the compression bit is not a violation.
    #[inline(never)]
    fn compressed_header(&self, unread: &[u8], violation: Violation) -> Result<Option<Header>, Violation> {
        if !self.may_inflate() {
            return Err(violation);
        }
        Header::parse_compressed(unread, self.peer).unwrap_or(Err(violation))
    }

    fn may_inflate(&self) -> bool {
        let in_flight = matches!(&self.state, State::Message(message) if message.is_compressed());
        in_flight || self.deflate.is_some()
    }

    /// Stops the clock of a frame that is now complete. The clock of a message being reassembled keeps running.
    fn complete(&mut self, what: What) -> Step {
        if let State::Begun = self.state {
            self.state = State::Idle;
            self.clock.stop();
        }
        Step::Ready(what)
    }

    fn begin_message(&mut self, kind: Kind, taken: Taken, header: &Header) -> Result<(), Cause> {
        let receiving = if header.compressed { self.deflate.take() } else { None };
        let inflating = receiving.map(Inflating::new);
        let message = Message::new(kind, taken, inflating, (header, &self.limits))?;
        self.state = State::Message(Box::new(message));
        Ok(())
    }

    /// Ends a message that was handed out to its end, or skipped.
    pub(super) fn end_message(&mut self) {
        self.leave_message(State::Idle);
        self.clock.stop();
    }

    /// Goes to `next`, and takes the state for decompression back from a message in flight.
    pub(super) fn leave_message(&mut self, next: State) {
        if let State::Message(message) = mem::replace(&mut self.state, next) {
            self.deflate = message.into_receiving().or(self.deflate.take());
        }
    }

    /// The memory held beyond the inbox, in bytes: for a message in flight, and for what compression keeps of earlier
    /// ones.
    pub(in crate::ws) fn held_bytes(&self) -> usize {
        let message = match &self.state {
            State::Message(message) => message.held_bytes(),
            State::HandedOut(gathered) => gathered.capacity(),
            State::Idle
            | State::Begun
            | State::Started
            | State::Failing(_)
            | State::Failed(_)
            | State::Closed(_)
            | State::Discarding(_) => 0,
        };
        message.saturating_add(self.deflate.as_ref().map_or(0, Receiving::held_bytes))
    }
}

#[cold]
fn out_of_order(expected: &'static str, unread: &[u8]) -> Cause {
    Violation::new(expected, unread.get(..1).unwrap_or_default(), "RFC 6455 5.4").into()
}

/// What a poll finds.
pub(in crate::ws) enum Look {
    Ready(What),
    /// A keep-alive ping is due. Any byte that arrives after it shows that the peer is alive.
    PingDue(Instant),
    Nothing,
    /// There is more to decompress than is done at once.
    Later,
}

const TEXT: u8 = OpCode::Text.last();
const BINARY: u8 = OpCode::Binary.last();
