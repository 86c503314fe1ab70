//! Receives messages: whole, in pieces, or discarded; plain or inflated.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::keep_alive::{Jitter, KeepAlive, Silence};
use super::ready::{Found, Part, What, Whole};
use super::reassembly;
use super::reassembly::{Gain, Gathered, Gathering};
use super::streaming::Streaming;
use super::text::Text;
use crate::time::Clock;
use crate::ws::deflate::{Inflating, Receiving};
use crate::ws::failure::{Cause, Failure};
use crate::ws::limits::Limits;
use crate::ws::wire::close::Close;
use crate::ws::wire::control::Control;
use crate::ws::wire::header::{Header, OpCode, Peer};
use crate::ws::wire::kind::Kind;
use crate::ws::wire::{mask, utf8};
use crate::{Deadline, Inbox, Instant, Limit, Pace, Payload, Violation, convert};

/// What receives the messages of a WebSocket.
///
/// It never writes: what the peer is owed is returned. After the peer's Close or a failure nothing more is processed (RFC
/// 6455 7.1.7).
#[derive(Debug)]
pub(in crate::ws) struct Engine {
    pub(in crate::ws) state: State,
    pub(in crate::ws) peer: Peer,
    /// The largest payload of the fast path.
    small: u8,
    pub(in crate::ws) limits: Arc<Limits>,
    pub(in crate::ws) clock: Clock,
    pub(in crate::ws) keep_alive: KeepAlive,
    /// The state for decompression, if messages may be compressed.
    pub(in crate::ws) deflate: Option<Receiving>,
}

/// What came last.
#[derive(Debug)]
pub(in crate::ws) enum State {
    /// A message, or nothing yet. Only the clock of the pings runs.
    Idle,
    /// The first bytes of a header or of a control frame. The clock of the message runs.
    Begun,
    /// A part of a message.
    Gathering(Box<Gathering>),
    /// A reassembled message that is handed out; the next call drops it.
    HandedOut(Box<Gathered>),
    /// The start of a message in pieces was handed out. Its header comes next, and is in the inbox.
    Started,
    /// A part of a message that is handed out in pieces.
    Streaming(Box<Streaming>),
    /// A part of a message whose rest the caller does not want.
    Skipping(Box<Streaming>),
    /// A part of a compressed message, in pieces or whole.
    Inflating(Inflating),
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
    pub(in crate::ws) fn new(peer: Peer, limits: Arc<Limits>, jitter: Jitter) -> Self {
        Self {
            state: State::Idle,
            peer,
            small: limits.small(),
            keep_alive: KeepAlive::new(jitter),
            limits,
            clock: Clock::default(),
            deflate: None,
        }
    }

    /// Consumes what is ready.
    ///
    /// # Errors
    ///
    /// A [`Failure`]: the peer broke the protocol or met a limit, or the stream ended without a Close. It comes once,
    /// and nothing comes after it.
    #[inline]
    pub(in crate::ws) fn event<'a>(
        &'a mut self,
        inbox: &'a mut Inbox,
        ready: What,
    ) -> Result<Found<'a>, Failure> {
        let What::Message(frame) = ready else { return self.event_slowly(inbox, ready) };
        match frame.kind {
            Kind::Text => {
                let bytes = inbox.read(frame.header, frame.len);
                mask::apply(frame.key, bytes);
                match utf8::check(bytes) {
                    Ok(text) => Ok(Found::Text(Text::arrived(text))),
                    Err(found) => Err(fail(&mut self.state, Cause::NotText(reassembly::not_text(found)))),
                }
            }
            Kind::Binary => {
                inbox.consume(frame.header);
                let mut payload = inbox.payload(frame.len);
                mask::apply(frame.key, payload.as_mut());
                Ok(Found::Binary(payload))
            }
        }
    }

    /// When to poll again even if nothing arrives: read first.
    pub(in crate::ws) fn deadline(&self) -> Option<Deadline> {
        if self.is_over() {
            return None;
        }
        let message = self.clock.deadline(&self.limits.message_pace, Limit::MessageProgress);
        Deadline::earlier(message, self.keep_alive.deadline(&self.limits))
    }

    /// Notes that the caller does not wait for the peer at `now`: time that the application takes does not count
    /// against the peer. The next poll that finds nothing resumes the count.
    pub(in crate::ws) fn pause(&mut self, inbox: &mut Inbox, now: Instant) {
        self.clock.pause(now);
        inbox.forget_look();
    }

    /// Sets the pace of messages on this socket, instead of [`Limits::message_pace`], for example if its messages come
    /// in pieces over hours.
    pub(in crate::ws) fn set_message_pace(&mut self, pace: Pace) {
        Arc::make_mut(&mut self.limits).message_pace = pace;
    }

    /// Sends no keep-alive pings any more, since our Close is written.
    pub(in crate::ws) fn stop_pinging(&mut self) {
        Arc::make_mut(&mut self.limits).ping_interval = None;
    }

    /// True if the peer's Close or a failure was handed out: nothing more comes.
    pub(in crate::ws) fn is_over(&self) -> bool {
        matches!(self.state, State::Failed(_) | State::Closed(_))
    }

    /// Returns what is ready if that takes only a glance.
    #[inline]
    pub(in crate::ws) fn poll_quickly(&self, inbox: &Inbox) -> Option<What> {
        match self.state {
            State::Idle => self.small_frame(inbox).map(What::Message),
            State::Begun
            | State::Gathering(_)
            | State::HandedOut(_)
            | State::Started
            | State::Streaming(_)
            | State::Skipping(_)
            | State::Inflating(_)
            | State::Failing(_)
            | State::Failed(_)
            | State::Closed(_)
            | State::Discarding(_) => None,
        }
    }

    /// An unfragmented message with a short header, complete in the inbox: nearly every message.
    #[inline]
    fn small_frame(&self, inbox: &Inbox) -> Option<Whole> {
        let unread = inbox.unread();
        let (&[first, second], rest) = unread.split_first_chunk()?;
        let kind = match first {
            TEXT => Kind::Text,
            BINARY => Kind::Binary,
            _ => return None,
        };
        // A wrong mask bit makes the length larger than that of any small frame.
        let len = second ^ self.peer.mask_bit();
        if len > self.small {
            return None;
        }
        let len = usize::from(len);
        let (key, rest, header) = match self.peer {
            Peer::Client => {
                let (&key, rest) = rest.split_first_chunk()?;
                (key, rest, 6)
            }
            Peer::Server => ([0; 4], rest, 2),
        };
        (rest.len() >= len).then_some(Whole { kind, header, len, key })
    }

    /// Returns what is ready or due. It parses the headers of frames and reassembles messages that do not fit in one piece.
    /// Asking twice returns the same. A whole message that is asked for skips the rest of one in pieces.
    #[inline(never)]
    pub(in crate::ws) fn poll_slowly(&mut self, inbox: &mut Inbox, reception: Reception) -> Option<What> {
        match self.advance(inbox, reception) {
            Ok(what) => what,
            Err(cause) => {
                self.state = State::Failing(Box::new(cause));
                Some(What::Failing)
            }
        }
    }

    fn advance(&mut self, inbox: &mut Inbox, reception: Reception) -> Result<Option<What>, Cause> {
        loop {
            match &mut self.state {
                State::Failing(_) => return Ok(Some(What::Failing)),
                State::Failed(_) | State::Closed(_) | State::Discarding(_) => {
                    inbox.discard();
                    return Ok(None);
                }
                State::HandedOut(_) => self.end_message(),
                State::Gathering(message) if reception == Reception::Pieces => {
                    return Ok(Some(What::Piece(Part::Gathered(message.kind()))));
                }
                State::Gathering(message) if message.is_whole() => return Ok(Some(What::Gathered)),
                State::Gathering(message) if !message.is_between_frames() => {
                    let (gained, gain) = message.gather(inbox)?;
                    self.clock.add(gained);
                    if let Gain::Nothing = gain {
                        return self.wait(inbox);
                    }
                }
                State::Streaming(message) if !message.is_between_frames() => {
                    match self.advance_streaming(inbox, reception)? {
                        Next::Ready(what) => return Ok(Some(what)),
                        Next::Nothing => return self.wait(inbox),
                        Next::Further => {}
                    }
                }
                State::Skipping(message) if !message.is_between_frames() => match self.skip(inbox)? {
                    Next::Ready(what) => return Ok(Some(what)),
                    Next::Nothing => return self.wait(inbox),
                    Next::Further => {}
                },
                State::Inflating(message) if reception == Reception::Pieces && message.is_gathered() => {
                    return Ok(Some(What::Piece(Part::Gathered(message.kind()))));
                }
                State::Inflating(message) if !message.is_between_frames() => {
                    match self.advance_inflating(inbox, reception)? {
                        Next::Ready(what) => return Ok(Some(what)),
                        Next::Nothing => return self.wait(inbox),
                        Next::Further => {}
                    }
                }
                State::Idle
                | State::Begun
                | State::Gathering(_)
                | State::Started
                | State::Streaming(_)
                | State::Skipping(_)
                | State::Inflating(_) => match self.advance_header(inbox, reception)? {
                    Next::Ready(what) => return Ok(Some(what)),
                    Next::Nothing => return self.wait(inbox),
                    Next::Further => {}
                },
            }
        }
    }

    /// Reads on where a header comes next.
    fn advance_header(&mut self, inbox: &mut Inbox, reception: Reception) -> Result<Next, Cause> {
        let unread = inbox.unread();
        let header = match Header::parse(unread, self.peer) {
            Ok(Some(header)) => header,
            Ok(None) => return Ok(Next::Nothing),
            Err(violation) => return self.advance_compressed_header(inbox, violation, reception),
        };
        let len = convert::usize_from(header.len);
        let is_here = unread.len().saturating_sub(header.size) >= len;
        let frame = |kind| Whole { kind, header: header.size, len, key: header.key };
        let kind = match (header.opcode, &self.state) {
            (OpCode::Close | OpCode::Ping | OpCode::Pong, _) => {
                if !is_here {
                    return Ok(Next::Nothing);
                }
                self.stop_header_clock();
                return Ok(Next::Ready(What::Control(header.opcode, frame(Kind::Binary))));
            }
            (
                OpCode::Continuation,
                State::Gathering(_) | State::Streaming(_) | State::Skipping(_) | State::Inflating(_),
            ) => None,
            (OpCode::Continuation, _) => {
                let got = unread.get(..1).unwrap_or_default();
                let expected = "no continuation where no message was begun";
                return Err(Violation::new(expected, got, "RFC 6455 5.4").into());
            }
            (
                OpCode::Text | OpCode::Binary,
                State::Gathering(_) | State::Streaming(_) | State::Skipping(_) | State::Inflating(_),
            ) => return Err(message_within_a_message(unread)),
            (OpCode::Text, _) => Some(Kind::Text),
            (OpCode::Binary, _) => Some(Kind::Binary),
        };
        match (kind, &self.state, reception) {
            (None, ..) => {}
            (Some(kind), State::Started, _) => self.state = State::Streaming(Box::new(Streaming::new(kind))),
            (Some(kind), _, Reception::Pieces) => {
                return Ok(Next::Ready(What::Piece(Part::Start(kind))));
            }
            (Some(kind), _, Reception::Whole) if header.fin && is_here => {
                reassembly::check_length(header.len, 0, &self.limits)?;
                self.stop_header_clock();
                return Ok(Next::Ready(What::Message(frame(kind))));
            }
            // The clock keeps running: it is the clock of the message, from its first byte.
            (Some(kind), _, Reception::Whole) => {
                self.state = State::Gathering(Box::new(Gathering::new(kind)));
            }
        }
        match &mut self.state {
            State::Gathering(message) => message.start(&header, &self.limits)?,
            State::Streaming(message) | State::Skipping(message) => message.start(&header, &self.limits)?,
            State::Inflating(message) => {
                if let Some(deflate) = &mut self.deflate {
                    message.start(&header, deflate, &self.limits)?;
                }
            }
            State::Idle
            | State::Begun
            | State::HandedOut(_)
            | State::Started
            | State::Failing(_)
            | State::Failed(_)
            | State::Closed(_)
            | State::Discarding(_) => return Ok(Next::Further),
        }
        inbox.consume(header.size);
        Ok(Next::Further)
    }

    /// Stops the clock of a frame that is now complete. The clock of a message being reassembled keeps running.
    fn stop_header_clock(&mut self) {
        if let State::Begun = self.state {
            self.state = State::Idle;
            self.clock.stop();
        }
    }

    /// Waits, since nothing more can be parsed without more bytes.
    fn wait(&mut self, inbox: &mut Inbox) -> Result<Option<What>, Cause> {
        if inbox.has_ended() {
            return Err(Cause::EndOfStream);
        }
        let (Some(now), Some(silent_since)) = (inbox.dry_at(), inbox.silent_since()) else {
            return Ok(None);
        };
        if let (State::Idle, false) = (&self.state, inbox.is_empty()) {
            self.state = State::Begun;
        }
        if let State::Begun
        | State::Gathering(_)
        | State::Streaming(_)
        | State::Skipping(_)
        | State::Inflating(_) = &self.state
        {
            self.clock.check(now, &self.limits.message_pace, Limit::MessageProgress)?;
        }
        match self.keep_alive.poll(now, silent_since, &self.limits) {
            Silence::Fine => Ok(None),
            Silence::PingDue => Ok(Some(What::PingDue(now))),
            Silence::TooLong(exceeded) => Err(exceeded.into()),
        }
    }

    #[inline(never)]
    fn event_slowly<'a>(&'a mut self, inbox: &'a mut Inbox, what: What) -> Result<Found<'a>, Failure> {
        match what {
            What::Message(frame) => Ok(Found::Binary(inbox.payload(frame.len))),
            What::Piece(_) => Ok(Found::Binary(inbox.payload(0))),
            What::Control(opcode, frame) => self.control(inbox, opcode, frame),
            What::Gathered => Ok(self.gathered(inbox)),
            What::PingDue(now) => {
                self.keep_alive.pinged(now);
                Ok(Found::PingDue)
            }
            What::Failing => {
                let cause = match core::mem::replace(&mut self.state, State::Idle) {
                    State::Failing(cause) => *cause,
                    State::Idle
                    | State::Begun
                    | State::Gathering(_)
                    | State::HandedOut(_)
                    | State::Started
                    | State::Streaming(_)
                    | State::Skipping(_)
                    | State::Inflating(_)
                    | State::Failed(_)
                    | State::Closed(_)
                    | State::Discarding(_) => Cause::EndOfStream,
                };
                Err(fail(&mut self.state, cause))
            }
        }
    }

    fn control<'a>(
        &'a mut self,
        inbox: &'a mut Inbox,
        opcode: OpCode,
        frame: Whole,
    ) -> Result<Found<'a>, Failure> {
        let payload = inbox.read(frame.header, frame.len);
        mask::apply(frame.key, payload);
        match opcode {
            OpCode::Ping => Ok(Found::Ping(Control::received(payload))),
            OpCode::Close => match Close::parse(payload) {
                Ok(close) => {
                    self.state = State::Closed(Box::new(close));
                    Ok(Found::Close)
                }
                Err(invalid) => Err(fail(&mut self.state, invalid.into())),
            },
            OpCode::Pong | OpCode::Continuation | OpCode::Text | OpCode::Binary => {
                self.keep_alive.heard();
                Ok(Found::Pong(Control::received(payload)))
            }
        }
    }

    fn gathered<'a>(&'a mut self, inbox: &'a mut Inbox) -> Found<'a> {
        match core::mem::replace(&mut self.state, State::Idle) {
            State::Gathering(message) => self.state = State::HandedOut(message.into_gathered().into()),
            State::Inflating(message) => {
                if let Some(deflate) = &self.deflate {
                    self.state = State::HandedOut(message.into_gathered(deflate).into());
                }
            }
            other @ (State::Idle
            | State::Begun
            | State::HandedOut(_)
            | State::Started
            | State::Streaming(_)
            | State::Skipping(_)
            | State::Failing(_)
            | State::Failed(_)
            | State::Closed(_)
            | State::Discarding(_)) => self.state = other,
        }
        match &mut self.state {
            State::HandedOut(gathered) => match &mut **gathered {
                Gathered::Text(text) => Found::Text(Text::gathered(text)),
                Gathered::Binary(bytes) => Found::Binary(Payload::gathered(bytes)),
            },
            State::Idle
            | State::Begun
            | State::Gathering(_)
            | State::Started
            | State::Streaming(_)
            | State::Skipping(_)
            | State::Inflating(_)
            | State::Failing(_)
            | State::Failed(_)
            | State::Closed(_)
            | State::Discarding(_) => Found::Binary(inbox.payload(0)),
        }
    }
}

#[cold]
pub(in crate::ws) fn message_within_a_message(unread: &[u8]) -> Cause {
    let got = unread.get(..1).unwrap_or_default();
    Violation::new("the rest of a message before the next", got, "RFC 6455 5.4").into()
}

const TEXT: u8 = OpCode::Text.last();
const BINARY: u8 = OpCode::Binary.last();

/// What the caller asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ws) enum Reception {
    /// Whole messages.
    Whole,
    /// Messages in pieces, as they arrive.
    Pieces,
}

/// How parsing continues.
pub(in crate::ws) enum Next {
    Ready(What),
    Nothing,
    /// The message continues.
    Further,
}

#[cold]
pub(in crate::ws) fn fail(state: &mut State, cause: Cause) -> Failure {
    *state = State::Failed(Box::new(cause.clone()));
    Failure::new(cause)
}
