//! Receives a message in pieces, as they arrive.

use alloc::boxed::Box;
use core::mem;

use super::engine::{Engine, Next, Reception, State, fail};
use super::ready::{FoundPiece, Part, What};
use super::reassembly;
use super::reassembly::{Gathered, Gathering};
use super::streaming::Streaming;
use super::text::Text;
use crate::ws::failure::{Cause, Failure};
use crate::ws::wire::kind::Kind;
use crate::ws::wire::{mask, utf8};
use crate::{Inbox, Payload};

impl Engine {
    /// Consumes a part of a message that is ready.
    ///
    /// # Errors
    ///
    /// A [`Failure`], if a text message is not UTF-8.
    pub(in crate::ws) fn piece<'a>(
        &'a mut self,
        inbox: &'a mut Inbox,
        ready: Part,
    ) -> Result<FoundPiece<'a>, Failure> {
        match ready {
            Part::Start(kind) => {
                // The clock of the header keeps running: it is the clock of the message, from its first byte.
                if let State::Idle | State::Begun = self.state {
                    self.state = State::Started;
                }
                Ok(FoundPiece::Start(kind))
            }
            Part::Gathered(kind) => {
                if let State::Gathering(message) = &mut self.state {
                    let message = Streaming::from(mem::replace(&mut **message, Gathering::new(kind)));
                    self.state = State::Streaming(Box::new(message));
                } else if let State::Inflating(message) = &mut self.state {
                    message.go_on_in_pieces();
                }
                Ok(FoundPiece::Start(kind))
            }
            Part::Payload(len) => self.payload(inbox, len),
            Part::Held => Ok(self.held(inbox)),
            Part::End => {
                if let State::Streaming(_) | State::Inflating(_) = self.state {
                    self.end_message();
                }
                Ok(FoundPiece::End)
            }
        }
    }

    fn payload<'a>(&'a mut self, inbox: &'a mut Inbox, len: usize) -> Result<FoundPiece<'a>, Failure> {
        let State::Streaming(message) = &mut self.state else {
            return Ok(FoundPiece::Binary(inbox.payload(0)));
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
                    Ok(text) => Ok(FoundPiece::Text(Text::arrived(text))),
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
                Ok(FoundPiece::Binary(payload))
            }
        }
    }

    fn held<'a>(&'a mut self, inbox: &'a mut Inbox) -> FoundPiece<'a> {
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
            | State::Closed(_)
            | State::Discarding(_) => return FoundPiece::Binary(inbox.payload(0)),
        };
        match gathered {
            Gathered::Text(text) => FoundPiece::Text(Text::gathered(text)),
            Gathered::Binary(bytes) => FoundPiece::Binary(Payload::gathered(bytes)),
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
