//! Our Close is written: wait for the rest, within the limit. RFC 6455 7.1.

use alloc::sync::Arc;

use super::ended::{End, Ended};
use super::failure::Cause;
use super::limits::Limits;
use crate::ws::receive::engine::State;
use crate::ws::receive::receiver::Receiver;
use crate::ws::send::sender::CloseSent;
use crate::ws::wire::close::Close;
use crate::ws::wire::header::{Header, OpCode, Peer};
use crate::ws::wire::mask;
use crate::{Deadline, Exceeded, Inbox, Instant, Limit, Outbox, Step, convert};

/// A connection on which nothing more is written. It always ends in [`Ended`].
///
/// First it waits for the peer's Close, unless that has come, and discards what comes before: frames of any size and
/// number, in constant memory, without reading their payload. Then it waits for the end of the stream: the server
/// closes TCP first (RFC 6455 7.1.1) and the client waits for that. Each wait lasts at most
/// [`Limits::close_time`](super::Limits::close_time), counted from when everything is written.
#[derive(Debug)]
#[must_use = "dropping it closes the connection at once, and the peer may lose the last frames"]
pub struct Closing {
    inbox: Inbox,
    peer: Peer,
    limits: Arc<Limits>,
    /// Compression was agreed on, so the compression bit is not a violation.
    takes_compressed: bool,
    wait: Wait,
    since: Option<Instant>,
}

/// What the connection waits for.
#[derive(Debug)]
enum Wait {
    /// The peer's Close, after `discard` bytes of payload. Ours is `sent`.
    Answer { sent: Close, discard: u64 },
    /// The end of the stream. The outcome is known.
    EndOfStream(Ended),
}

impl Closing {
    pub(super) fn new(mut recv: Receiver, CloseSent(sent): CloseSent) -> Self {
        let wait = match &recv.engine.state {
            State::Closed(received) => {
                let received = Close::clone(received);
                Wait::EndOfStream(Ended::Closed { first: End::Theirs, sent, received })
            }
            State::Failed(cause) | State::Failing(cause) => Wait::EndOfStream(Cause::clone(cause).into()),
            State::Gathering(message) => Wait::Answer { sent, discard: message.place().remaining() },
            State::Streaming(message) | State::Skipping(message) => {
                Wait::Answer { sent, discard: message.place().remaining() }
            }
            State::Inflating(message) => Wait::Answer { sent, discard: message.place().remaining() },
            State::Idle | State::Begun | State::HandedOut(_) | State::Started => {
                Wait::Answer { sent, discard: 0 }
            }
        };
        recv.engine.end_message();
        let Receiver { inbox, engine } = recv;
        let super::receive::engine::Engine { peer, limits, deflate, .. } = engine;
        Self { inbox, peer, limits, takes_compressed: deflate.is_some(), wait, since: None }
    }

    /// The inbox for received bytes.
    pub fn inbox(&mut self) -> &mut Inbox {
        &mut self.inbox
    }

    /// Reads what arrived, and returns how the connection ended once that is known.
    ///
    /// The time starts with the first poll after `out` was written empty. It is over when a read after it finds
    /// nothing, or, for a peer that keeps sending, after twice the limit.
    pub fn poll(mut self, now: Instant, out: &Outbox) -> Step<Self, Ended> {
        self.take_arrived();
        if !out.is_empty() {
            return Step::Wait(self);
        }
        if self.inbox.has_ended() {
            return Step::Done(self.story());
        }
        let limit = self.limits.close_time;
        let since = *self.since.get_or_insert(now);
        let over = since.saturating_add(limit);
        let is_dry = self.inbox.dry_at().is_some_and(|at| at >= over);
        if is_dry || now >= over.saturating_add(limit) {
            return Step::Done(self.story());
        }
        Step::Wait(self)
    }

    /// Reads what arrived, and does not judge whether the connection has ended. Call it instead of [`poll`](Self::poll)
    /// while a layer below, for example TLS, holds back what was written: it counts as not written.
    pub fn discard(&mut self) {
        self.take_arrived();
    }

    /// Restarts the time at `now`, because the peer has not received everything but still takes it
    /// ([`Outbox::is_on_its_way`]).
    pub fn extend(&mut self, now: Instant) {
        self.since = Some(now);
    }

    /// True if the write side must be ended now: all is written, and this end closes TCP first.
    ///
    /// The server does that, when both Close frames have passed or when it failed the connection. Ending the write side
    /// lets the peer read everything; closing at once could destroy the last frames.
    pub fn ends_writing(&self, out: &Outbox) -> bool {
        out.is_empty() && self.peer == Peer::Client && matches!(self.wait, Wait::EndOfStream(_))
    }

    /// When to poll again even if nothing arrives.
    pub fn deadline(&self) -> Option<Deadline> {
        let since = self.since?;
        Some(Deadline { at: since.saturating_add(self.limits.close_time), reason: Limit::CloseTime })
    }

    /// Ends after a failure of the transport, and returns how the connection ended.
    pub fn cut(self) -> Ended {
        match self.wait {
            Wait::Answer { .. } => Ended::Transport,
            Wait::EndOfStream(ended) => ended,
        }
    }

    fn take_arrived(&mut self) {
        let Wait::Answer { sent, discard } = &mut self.wait else { return self.inbox.discard() };
        let found = match next_close(&mut self.inbox, discard, self.peer, self.takes_compressed) {
            Ok(None) if self.inbox.has_ended() => Err(Cause::EndOfStream),
            Ok(None) => return,
            Ok(Some(received)) => Ok(received),
            Err(cause) => Err(cause),
        };
        let sent = core::mem::take(sent);
        self.wait = Wait::EndOfStream(match found {
            Ok(received) => Ended::Closed { first: End::Ours, sent, received },
            Err(cause) => cause.into(),
        });
        self.since = None;
        self.inbox.discard();
    }

    fn story(self) -> Ended {
        match self.wait {
            Wait::Answer { .. } => Ended::Exceeded(Exceeded::time(Limit::CloseTime, self.limits.close_time)),
            Wait::EndOfStream(ended) => ended,
        }
    }
}

/// Discards frames up to the peer's Close. `None` if it has not arrived completely.
///
/// Only the headers of frames are read. RFC 6455 1.4 and 7.1.6: once our Close is sent, data may be discarded.
pub(super) fn next_close(
    inbox: &mut Inbox,
    discard: &mut u64,
    peer: Peer,
    takes_compressed: bool,
) -> Result<Option<Close>, Cause> {
    loop {
        let here = (*discard).min(convert::u64_from(inbox.len()));
        inbox.consume(convert::usize_from(here));
        *discard -= here;
        if *discard > 0 {
            return Ok(None);
        }
        let unread = inbox.unread();
        let parsed = match Header::parse(unread, peer) {
            Err(violation) if takes_compressed => {
                Header::parse_compressed(unread, peer).unwrap_or(Err(violation))
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
        *discard = header.len;
    }
}
