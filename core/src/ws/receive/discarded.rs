//! Discards what comes before the peer's Close.

use super::engine::{Engine, State};
use crate::ws::failure::Cause;
use crate::ws::wire::close::Close;
use crate::ws::wire::header::{Header, OpCode};
use crate::ws::wire::mask;
use crate::{Inbox, convert};

impl Engine {
    /// Discards from here on: the rest of the message in flight, and all that follows.
    pub(in crate::ws) fn discard(&mut self) {
        let rest = match &self.state {
            State::Gathering(message) => message.place().remaining(),
            State::Streaming(message) | State::Skipping(message) => message.place().remaining(),
            State::Inflating(message) => message.place().remaining(),
            State::Discarding(rest) => *rest,
            State::Idle
            | State::Begun
            | State::HandedOut(_)
            | State::Started
            | State::Failing(_)
            | State::Failed(_)
            | State::Closed(_) => 0,
        };
        self.end_message();
        self.state = State::Discarding(rest);
    }

    /// Discards frames up to the peer's Close. `None` if it has not arrived completely.
    ///
    /// Only the headers of frames are read, so frames of any size and number pass in constant memory, without a limit. RFC
    /// 6455 1.4 and 7.1.6: once our Close is sent, data may be discarded.
    pub(in crate::ws) fn next_close(&mut self, inbox: &mut Inbox) -> Result<Option<Close>, Cause> {
        let State::Discarding(rest) = &mut self.state else { return Ok(None) };
        loop {
            let here = (*rest).min(convert::u64_from(inbox.len()));
            inbox.consume(convert::usize_from(here));
            *rest -= here;
            if *rest > 0 {
                return Ok(None);
            }
            let unread = inbox.unread();
            let parsed = match Header::parse(unread, self.peer) {
                // Compression was agreed on, so the compression bit is not a violation.
                Err(violation) if self.deflate.is_some() => {
                    Header::parse_compressed(unread, self.peer).unwrap_or(Err(violation))
                }
                parsed => parsed,
            };
            let Some(header) = parsed? else { return Ok(None) };
            if header.opcode == OpCode::Close {
                let len = convert::usize_from(header.len);
                if unread.len() - header.size < len {
                    return Ok(None);
                }
                let payload = inbox.read(header.size, len);
                mask::apply(header.key, payload);
                return Ok(Some(Close::parse(payload)?));
            }
            inbox.consume(header.size);
            *rest = header.len;
        }
    }
}
