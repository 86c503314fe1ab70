//! Receives a compressed message. RFC 7692 6 and 7.2.2.

use core::mem;

use super::engine::{Engine, Next, Reception, State, message_within_a_message};
use super::ready::{Part, What};
use crate::ws::deflate::{Inflating, Progress};
use crate::ws::failure::Cause;
use crate::ws::wire::header::{Header, OpCode};
use crate::ws::wire::kind::Kind;
use crate::{Inbox, Violation};

impl Engine {
    /// Reads a header that is invalid without extensions: it may begin a compressed message.
    #[inline(never)]
    pub(in crate::ws) fn advance_compressed_header(
        &mut self,
        inbox: &mut Inbox,
        violation: Violation,
        reception: Reception,
    ) -> Result<Next, Cause> {
        let Some(deflate) = &self.deflate else { return Err(violation.into()) };
        let unread = inbox.unread();
        let Some(parsed) = Header::parse_compressed(unread, self.peer) else { return Err(violation.into()) };
        let Some(header) = parsed? else { return Ok(Next::Nothing) };
        let kind = if header.opcode == OpCode::Text { Kind::Text } else { Kind::Binary };
        self.state = State::Inflating(match (&self.state, reception) {
            (
                State::Gathering(_) | State::Streaming(_) | State::Skipping(_) | State::Inflating(_),
                Reception::Whole | Reception::Pieces,
            ) => return Err(message_within_a_message(unread)),
            (State::Started, _) => Inflating::pieces(kind, deflate),
            (
                State::Idle
                | State::Begun
                | State::HandedOut(_)
                | State::Failing(_)
                | State::Failed(_)
                | State::Closed(_)
                | State::Discarding(_),
                Reception::Pieces,
            ) => return Ok(Next::Ready(What::Piece(Part::Start(kind)))),
            // The clock of the header keeps running: it is the clock of the message, from its first byte.
            (
                State::Idle
                | State::Begun
                | State::HandedOut(_)
                | State::Failing(_)
                | State::Failed(_)
                | State::Closed(_)
                | State::Discarding(_),
                Reception::Whole,
            ) => Inflating::whole(kind, deflate),
        });
        if let (State::Inflating(message), Some(deflate)) = (&mut self.state, &mut self.deflate) {
            message.start(&header, deflate, &self.limits)?;
        }
        inbox.consume(header.size);
        Ok(Next::Further)
    }

    /// Reads more of a compressed message.
    pub(in crate::ws) fn advance_inflating(
        &mut self,
        inbox: &mut Inbox,
        reception: Reception,
    ) -> Result<Next, Cause> {
        let (State::Inflating(message), Some(deflate)) = (&mut self.state, &mut self.deflate) else {
            return Ok(Next::Further);
        };
        if reception == Reception::Whole {
            message.skip_rest();
        }
        match message.advance(inbox, &mut self.clock, deflate, &self.limits)? {
            Progress::Piece => Ok(Next::Ready(What::Piece(Part::Held))),
            Progress::Whole if message.is_gathered() => Ok(Next::Ready(What::Gathered)),
            Progress::Whole if reception == Reception::Pieces && !message.is_skipped() => {
                Ok(Next::Ready(What::Piece(Part::End)))
            }
            Progress::Whole => {
                self.end_message();
                Ok(Next::Further)
            }
            Progress::Header => Ok(Next::Further),
            Progress::Nothing => Ok(Next::Nothing),
        }
    }

    /// Ends a message that was handed out to its end, or skipped.
    pub(in crate::ws) fn end_message(&mut self) {
        let over = mem::replace(&mut self.state, State::Idle);
        if let (State::Inflating(message), Some(deflate)) = (over, &self.deflate) {
            drop(message.into_gathered(deflate));
        }
        self.clock.stop();
    }

    /// The memory held beyond the inbox, in bytes: for a message in flight, and for what compression keeps of earlier
    /// ones.
    pub(in crate::ws) fn held_bytes(&self) -> usize {
        let message = match &self.state {
            State::Gathering(message) => message.held_bytes(),
            State::HandedOut(gathered) => gathered.len(),
            State::Streaming(message) | State::Skipping(message) => message.held_bytes(),
            State::Inflating(message) => message.held_bytes(),
            State::Idle
            | State::Begun
            | State::Started
            | State::Failing(_)
            | State::Failed(_)
            | State::Closed(_)
            | State::Discarding(_) => 0,
        };
        message.saturating_add(self.deflate.as_ref().map_or(0, crate::ws::deflate::Receiving::held_bytes))
    }
}
