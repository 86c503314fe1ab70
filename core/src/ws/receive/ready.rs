//! What is ready, and what it becomes.

use alloc::boxed::Box;

use super::content;
use super::engine::{Engine, State};
use super::event::{Event, Piece};
use super::message::Message;
use super::text::Text;
use crate::Inbox;
use crate::ws::failure::Cause;
use crate::ws::wire::close::Close;
use crate::ws::wire::control::Control;
use crate::ws::wire::kind::Kind;
use crate::ws::wire::{mask, utf8};

/// What a look finds. It consumes nothing: the engine exchanges it for what it stands for, at once.
#[derive(Debug)]
pub(in crate::ws) enum What {
    /// An unfragmented message, complete in the inbox.
    Message(Kind, Whole),
    /// A message that was reassembled.
    Gathered,
    /// A part of a message, for a caller that asks for pieces.
    Piece(Part),
    /// A control frame, complete in the inbox.
    Control(Signal, Whole),
    Failing,
}

/// The type of a control frame.
#[derive(Clone, Copy, Debug)]
pub(in crate::ws) enum Signal {
    Ping,
    Pong,
    Close,
}

/// A part of a message.
#[derive(Clone, Copy, Debug)]
pub(in crate::ws) enum Part {
    /// A message whose first header is in the inbox, or that was gathered so far.
    Start(Kind),
    /// This many bytes of payload in the inbox. In text, they end between characters.
    Payload(usize),
    /// A piece that has left the inbox.
    Held,
    End,
}

/// A whole frame in the inbox.
#[derive(Clone, Copy, Debug)]
pub(in crate::ws) struct Whole {
    /// Bytes of the header.
    pub(in crate::ws) header: usize,
    pub(in crate::ws) len: usize,
    pub(in crate::ws) key: [u8; 4],
}

/// What comes beside messages, or after them.
#[derive(Debug)]
pub(in crate::ws) enum Beside<'a> {
    Ping(Control<'a>),
    Pong(Control<'a>),
    Close(&'a Close),
    Failed(&'a Cause),
}

impl Whole {
    #[inline]
    fn read(self, inbox: &mut Inbox) -> &mut [u8] {
        let bytes = inbox.read(self.header, self.len);
        mask::apply(self.key, bytes);
        bytes
    }
}

impl Engine {
    /// Takes an unfragmented message.
    #[inline]
    pub(in crate::ws) fn message<'a>(
        &'a mut self,
        inbox: &'a mut Inbox,
        kind: Kind,
        frame: Whole,
    ) -> Option<Event<'a>> {
        match kind {
            Kind::Text => match utf8::check(frame.read(inbox)) {
                Ok(text) => Some(Event::Text(Text::arrived(text))),
                Err(found) => self.fail(Cause::NotText(content::not_text(found))).map(Event::from),
            },
            Kind::Binary => {
                inbox.consume(frame.header);
                let mut payload = inbox.payload(frame.len);
                mask::apply(frame.key, payload.as_mut());
                Some(Event::Binary(payload))
            }
        }
    }

    /// Takes a message that was reassembled.
    #[inline(never)]
    pub(in crate::ws) fn gathered(&mut self) -> Option<Event<'_>> {
        let gathered = self.in_flight()?.gathered();
        self.leave_message(State::HandedOut(Box::new(gathered)));
        let State::HandedOut(gathered) = &mut self.state else { return None };
        Some(gathered.event())
    }

    /// Takes a part of a message.
    pub(in crate::ws) fn piece<'a>(&'a mut self, inbox: &'a mut Inbox, part: Part) -> Option<Piece<'a>> {
        match part {
            Part::Start(kind) => {
                if let Some(message) = self.in_flight() {
                    message.hand_out_in_pieces();
                } else {
                    // The clock of the header keeps running: it is the clock of the message, from its first byte.
                    self.state = State::Started;
                }
                Some(Piece::Start(kind))
            }
            Part::Payload(len) => match self.in_flight()?.hand_out_payload(len, inbox)? {
                Ok(piece) => {
                    self.clock.add(len);
                    Some(piece)
                }
                Err(cause) => self.fail(cause).map(Piece::from),
            },
            Part::Held => Some(self.in_flight()?.hand_out()),
            Part::End => {
                self.end_message();
                Some(Piece::End)
            }
        }
    }

    fn in_flight(&mut self) -> Option<&mut Message> {
        if let State::Message(message) = &mut self.state { Some(message) } else { None }
    }

    /// Takes a control frame.
    pub(in crate::ws) fn control<'a>(
        &'a mut self,
        inbox: &'a mut Inbox,
        signal: Signal,
        frame: Whole,
    ) -> Option<Beside<'a>> {
        let payload = frame.read(inbox);
        match signal {
            Signal::Ping => Some(Beside::Ping(Control::received(payload))),
            Signal::Pong => {
                self.keep_alive.heard();
                Some(Beside::Pong(Control::received(payload)))
            }
            Signal::Close => {
                self.state = match Close::parse(payload) {
                    Ok(close) => State::Closed(Box::new(close)),
                    Err(invalid) => State::Failing(Box::new(invalid.into())),
                };
                self.end()
            }
        }
    }

    /// The peer's Close, or why nothing more is received. `None` before the end.
    pub(in crate::ws) fn end(&mut self) -> Option<Beside<'_>> {
        if let State::Failing(cause) = &self.state {
            self.state = State::Failed(cause.clone());
        }
        match &self.state {
            State::Closed(close) => Some(Beside::Close(close)),
            State::Failed(cause) => Some(Beside::Failed(cause)),
            State::Idle
            | State::Begun
            | State::Started
            | State::Message(_)
            | State::HandedOut(_)
            | State::Failing(_)
            | State::Discarding(_) => None,
        }
    }

    #[cold]
    fn fail(&mut self, cause: Cause) -> Option<Beside<'_>> {
        self.state = State::Failing(Box::new(cause));
        self.end()
    }
}

impl<'a> From<Beside<'a>> for Event<'a> {
    fn from(beside: Beside<'a>) -> Self {
        match beside {
            Beside::Ping(payload) => Self::Ping(payload),
            Beside::Pong(payload) => Self::Pong(payload),
            Beside::Close(close) => Self::Close(close),
            Beside::Failed(cause) => Self::Failed(cause),
        }
    }
}

impl<'a> From<Beside<'a>> for Piece<'a> {
    fn from(beside: Beside<'a>) -> Self {
        match beside {
            Beside::Ping(payload) => Self::Ping(payload),
            Beside::Pong(payload) => Self::Pong(payload),
            Beside::Close(close) => Self::Close(close),
            Beside::Failed(cause) => Self::Failed(cause),
        }
    }
}
