//! Discards what comes before the peer's Close.

use super::engine::{Engine, State};
use crate::ws::failure::Cause;
use crate::ws::wire::close::Close;
use crate::ws::wire::header::OpCode;
use crate::ws::wire::mask;
use crate::{Inbox, convert};

impl Engine {
    /// Discards from here on: the rest of the message in flight, and all that follows.
    pub(in crate::ws) fn discard(&mut self) {
        let rest = match &self.state {
            State::Message(message) => message.rest_of_frame(),
            State::Discarding(rest) => *rest,
            State::Idle
            | State::Begun
            | State::Started
            | State::HandedOut(_)
            | State::Failing(_)
            | State::Failed(_)
            | State::Closed(_) => 0,
        };
        self.leave_message(State::Discarding(rest));
    }

    /// Discards frames up to the peer's Close. `None` if it has not arrived completely.
    ///
    /// Only the headers of frames are read, so frames of any size and number pass in constant memory, without a limit. RFC
    /// 6455 1.4 and 7.1.6: once our Close is sent, data may be discarded.
    pub(in crate::ws) fn next_close(&mut self, inbox: &mut Inbox) -> Result<Option<Close>, Cause> {
        loop {
            let State::Discarding(rest) = &mut self.state else { return Ok(None) };
            let here = (*rest).min(convert::u64_from(inbox.len()));
            inbox.consume(convert::usize_from(here));
            *rest -= here;
            if *rest > 0 {
                return Ok(None);
            }
            let unread = inbox.unread();
            let Some(header) = self.header(unread)? else { return Ok(None) };
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
            self.state = State::Discarding(header.len);
        }
    }
}
