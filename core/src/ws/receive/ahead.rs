//! Looks at the frames behind what was taken.

use super::engine::{Engine, State};
use crate::ws::wire::close::Close;
use crate::ws::wire::control::Control;
use crate::ws::wire::header::{CONTROL_FRAME, OpCode};
use crate::ws::wire::mask;
use crate::{Inbox, convert};

/// What may come where the look stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ws) enum Ahead {
    /// A message.
    Message,
    /// The rest of a message.
    Continuation,
}

impl Engine {
    /// Looks at the frames in the inbox that were not taken, and consumes nothing. Passes each Ping that no look has
    /// seen to `pong`, and returns the peer's Close if it has arrived.
    ///
    /// It goes on where the last look stopped, so each frame is looked at once, and of a payload only that of a control
    /// frame. It judges nothing: at a header that breaks the protocol it stops, and the engine finds the violation in
    /// order. A Pong needs no look: silence is judged only when nothing whole is left to take.
    pub(in crate::ws) fn look_ahead(
        &mut self,
        inbox: &mut Inbox,
        mut pong: impl FnMut(&Control<'_>),
    ) -> Option<Close> {
        let first = self.next_header()?;
        let (mut at, mut ahead) = match inbox.seen() {
            0 => first,
            seen => (seen, self.ahead),
        };
        let mut close = None;
        let unread = inbox.unread();
        let mut unseen = unread.get(at..)?;
        while let Ok(Some(header)) = self.header(unseen) {
            let len = convert::usize_from(header.len);
            let behind = unseen.get(header.size..).unwrap_or_default();
            let (Some(payload), Some(rest)) = (behind.get(..len), behind.get(len..)) else { break };
            match (header.opcode, ahead) {
                (OpCode::Close, _) => {
                    // The look stays here: nothing behind the Close counts.
                    close = Close::parse(unmasked(payload, header.key, &mut [0; CONTROL_FRAME])).ok();
                    break;
                }
                (OpCode::Ping, _) => {
                    pong(&Control::received(unmasked(payload, header.key, &mut [0; CONTROL_FRAME])));
                }
                (OpCode::Pong, _) => {}
                (OpCode::Text | OpCode::Binary, Ahead::Message)
                | (OpCode::Continuation, Ahead::Continuation) => {
                    ahead = if header.fin { Ahead::Message } else { Ahead::Continuation };
                }
                (OpCode::Text | OpCode::Binary, Ahead::Continuation)
                | (OpCode::Continuation, Ahead::Message) => break,
            }
            at = unread.len() - rest.len();
            unseen = rest;
        }
        self.ahead = ahead;
        inbox.see(at);
        close
    }

    /// The number of bytes before the next header, and what may come with it. `None` if nothing more is received.
    fn next_header(&self) -> Option<(usize, Ahead)> {
        match &self.state {
            State::Idle | State::Begun | State::Started | State::HandedOut(_) => Some((0, Ahead::Message)),
            State::Message(message) => {
                let ahead = if message.is_continued() { Ahead::Continuation } else { Ahead::Message };
                Some((convert::usize_from(message.rest_of_frame()), ahead))
            }
            State::Failing(_) | State::Failed(_) | State::Closed(_) | State::Discarding(_) => None,
        }
    }
}

/// Copies the payload of a control frame and unmasks the copy.
fn unmasked<'a>(payload: &[u8], key: [u8; 4], room: &'a mut [u8]) -> &'a [u8] {
    let Some(copy) = room.get_mut(..payload.len()) else { return &[] };
    copy.copy_from_slice(payload);
    mask::apply(key, copy);
    copy
}
