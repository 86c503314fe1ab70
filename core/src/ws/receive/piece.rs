//! Receives a message in pieces, as they arrive.

use alloc::boxed::Box;
use core::mem;

use super::engine::{Engine, Next, Reception, State, fail};
use super::reassembly;
use super::reassembly::{Gathered, Gathering};
use super::streaming::Streaming;
use super::text::Text;
use crate::ws::event::{Part, Ready, What};
use crate::ws::failure::{Cause, Failure};
use crate::ws::wire::kind::Kind;
use crate::ws::wire::{mask, utf8};
use crate::{Inbox, Payload};

/// What a poll for pieces finds.
#[derive(Debug)]
#[must_use = "exchange what it holds"]
pub enum NextPiece {
    /// A part of a message: exchange it with [`Receiver::piece`](crate::ws::Receiver::piece) or [`Session::piece`](crate::ws::Session::piece).
    Piece(PieceReady),
    /// Anything else, but never a message: a control frame, a ping that is due, a failure. Exchange it with
    /// [`Receiver::event`](crate::ws::Receiver::event) or [`Session::event`](crate::ws::Session::event).
    Event(Ready),
}

/// A token for a part of a message: exchange it for the [`Piece`], before the next poll.
#[derive(Debug)]
#[must_use = "exchange it for the piece"]
pub struct PieceReady(Part);

/// A part of a message. RFC 6455 5.4.
///
/// A message is a `Start`, any number of pieces of its kind, and an `End`, whatever its frames. The pieces depend on
/// how the message arrives, and their boundaries mean nothing. No piece is empty.
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
}

impl Engine {
    /// Polls like [`poll`](Self::poll), but messages come in pieces, as they arrive: nothing is reassembled, and a
    /// message may be as large as [`Limits::streamed_bytes`](crate::ws::Limits::streamed_bytes).
    ///
    /// A caller may alternate between whole messages and pieces. The part of a message that [`poll`](Self::poll) has
    /// gathered becomes its first piece. If the caller polls for a whole message before the [`End`](Piece::End) of one
    /// in pieces, the rest of that message is skipped: it is discarded as it arrives, without a check for UTF-8, and
    /// within the same limits.
    pub(in crate::ws) fn poll_piece(&mut self, inbox: &mut Inbox) -> Option<NextPiece> {
        let Ready(what) = self.poll_slowly(inbox, Reception::Pieces)?;
        Some(match what {
            What::Piece(part) => NextPiece::Piece(PieceReady(part)),
            What::Message(_) | What::Control(..) | What::Gathered | What::PingDue(_) | What::Failing => {
                NextPiece::Event(Ready(what))
            }
        })
    }

    /// Consumes a part of a message that is ready.
    ///
    /// # Errors
    ///
    /// A [`Failure`], as from [`event`](Self::event), if a text message is not UTF-8.
    pub(in crate::ws) fn piece<'a>(
        &'a mut self,
        inbox: &'a mut Inbox,
        ready: PieceReady,
    ) -> Result<Piece<'a>, Failure> {
        match ready.0 {
            Part::Start(kind) => {
                // The clock of the header keeps running: it is the clock of the message, from its first byte.
                if let State::Idle | State::Begun = self.state {
                    self.state = State::Started;
                }
                Ok(Piece::Start(kind))
            }
            Part::Gathered(kind) => {
                if let State::Gathering(message) = &mut self.state {
                    let message = Streaming::from(mem::replace(&mut **message, Gathering::new(kind)));
                    self.state = State::Streaming(Box::new(message));
                } else if let State::Inflating(message) = &mut self.state {
                    message.go_on_in_pieces();
                }
                Ok(Piece::Start(kind))
            }
            Part::Payload(len) => self.payload(inbox, len),
            Part::Held => Ok(self.held(inbox)),
            Part::End => {
                if let State::Streaming(_) | State::Inflating(_) = self.state {
                    self.end_message();
                }
                Ok(Piece::End)
            }
        }
    }

    fn payload<'a>(&'a mut self, inbox: &'a mut Inbox, len: usize) -> Result<Piece<'a>, Failure> {
        // A token of another receiver yields an empty piece.
        let State::Streaming(message) = &mut self.state else {
            return Ok(Piece::Binary(inbox.payload(0)));
        };
        let len = len.min(message.here(inbox));
        let (behind, count) = message.behind(len, inbox);
        let key = message.passed(len);
        self.clock.add(len);
        match message.kind() {
            Kind::Text => {
                let bytes = inbox.read(0, len);
                mask::apply(key, bytes);
                match utf8::check(bytes) {
                    Ok(text) => Ok(Piece::Text(Text::arrived(text))),
                    // The first invalid byte may be just after these.
                    Err(found) => {
                        let found = found.before(behind.get(..count).unwrap_or_default());
                        Err(fail(&mut self.state, Cause::NotText(reassembly::not_text(found))))
                    }
                }
            }
            Kind::Binary => {
                let mut payload = inbox.payload(len);
                mask::apply(key, payload.as_mut());
                Ok(Piece::Binary(payload))
            }
        }
    }

    fn held<'a>(&'a mut self, inbox: &'a mut Inbox) -> Piece<'a> {
        let gathered = match &mut self.state {
            State::Streaming(message) => message.hand_out(),
            State::Inflating(message) => message.hand_out(),
            State::Idle
            | State::Begun
            | State::Gathering(_)
            | State::HandedOut(_)
            | State::Started
            | State::Skipping(_)
            | State::Failing(_)
            | State::Failed(_)
            | State::Closed(_) => return Piece::Binary(inbox.payload(0)),
        };
        match gathered {
            Gathered::Text(text) => Piece::Text(Text::gathered(text)),
            Gathered::Binary(bytes) => Piece::Binary(Payload::gathered(bytes)),
        }
    }

    /// Reads more of a message that is handed out in pieces.
    pub(in crate::ws) fn advance_streaming(
        &mut self,
        inbox: &mut Inbox,
        reception: Reception,
    ) -> Result<Next, Cause> {
        let State::Streaming(message) = &mut self.state else { return Ok(Next::Further) };
        if reception == Reception::Whole {
            let rest = message.skip_rest();
            self.state = State::Skipping(Box::new(rest));
            return Ok(Next::Further);
        }
        match message.advance(inbox, &mut self.clock)? {
            Some(part) => Ok(Next::Ready(What::Piece(part))),
            None if message.is_between_frames() => Ok(Next::Further),
            None => Ok(Next::Nothing),
        }
    }

    /// Skips more of a message whose rest the caller does not want.
    pub(in crate::ws) fn skip(&mut self, inbox: &mut Inbox) -> Result<Next, Cause> {
        let State::Skipping(message) = &mut self.state else { return Ok(Next::Further) };
        match message.advance(inbox, &mut self.clock)? {
            Some(Part::Payload(len)) => {
                message.passed(len);
                inbox.consume(len);
                self.clock.add(len);
            }
            Some(Part::End) => self.end_message(),
            Some(Part::Held) => {
                message.hand_out();
            }
            Some(Part::Start(_) | Part::Gathered(_)) => {}
            None if message.is_between_frames() => {}
            None => return Ok(Next::Nothing),
        }
        Ok(Next::Further)
    }
}
