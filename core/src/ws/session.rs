//! Both halves in one value.

use core::mem;

use super::closing::Closing;
use super::event::{Event, Ready, What};
use super::failure::Cause;
use super::{Failure, Ping, WebSocket};
use crate::ws::receive::engine::Reception;
use crate::ws::receive::owed::{PeerClose, PingDue};
use crate::ws::receive::piece::{NextPiece, Piece, PieceReady};
use crate::ws::receive::receiver::Receiver;
use crate::ws::receive::text::Text;
use crate::ws::send::fragments::Fragments;
use crate::ws::send::sender::{CloseSent, Sender};
use crate::ws::wire::close::Close;
use crate::ws::wire::control::Control;
use crate::ws::wire::kind::Kind;
use crate::{Deadline, Inbox, Instant, Limit, Outbox, Pace, Payload};

/// A WebSocket in one value: it answers pings and the peer's Close by itself, and keeps the connection alive.
///
/// [`writing`](Self::writing) returns what can be written with at the moment: after a Close, nothing can.
/// [`close`](Self::close) ends it.
#[derive(Debug)]
#[must_use = "dropping a session drops the connection"]
pub struct Session {
    recv: Receiver,
    writer: Writer,
}

#[derive(Debug)]
enum Writer {
    Idle(Sender),
    Streaming(Fragments),
    Closed(CloseSent),
}

/// The right to write that a session holds.
#[derive(Debug)]
pub enum Writing<'a> {
    /// No message has begun.
    Idle(&'a mut Sender),
    /// A message in pieces has begun: see [`Session::finish`].
    Streaming(&'a mut Fragments),
    /// Our Close is written.
    Closed,
}

/// What the peer sent to a [`Session`]. The answer that it is owed is already in the outbox.
#[derive(Debug)]
pub enum SessionEvent<'a> {
    /// A text message.
    Text(Text<'a>),
    /// A binary message.
    Binary(Payload<'a>),
    /// A Ping, which was answered.
    Ping(Control<'a>),
    /// A Pong.
    Pong(Control<'a>),
    /// The peer's Close, which was answered. Continue with [`Session::close`].
    Close(Close),
}

impl Session {
    pub(super) fn new(WebSocket { recv, send, .. }: WebSocket) -> Self {
        Self { recv, writer: Writer::Idle(send) }
    }

    /// The inbox for received bytes.
    pub fn inbox(&mut self) -> &mut Inbox {
        self.recv.inbox()
    }

    /// Returns a token if an event is ready. Writes a keep-alive ping that is due, and a Pong that did not fit before.
    /// Skips the rest of a message that was begun in pieces.
    #[inline]
    pub fn poll(&mut self, out: &mut Outbox) -> Option<Ready> {
        match self.recv.engine.poll_quickly(&self.recv.inbox) {
            None => self.poll_slowly(out),
            ready => ready,
        }
    }

    /// Consumes what is ready, and answers it.
    ///
    /// # Errors
    ///
    /// Why nothing more is received. The peer has been told: continue with [`close`](Self::close).
    #[inline]
    pub fn event(&mut self, ready: Ready, out: &mut Outbox) -> Result<SessionEvent<'_>, Cause> {
        self.lend(ready, out).map(|(event, _)| event)
    }

    /// Consumes what is ready like [`event`](Self::event), and also returns the right to write while the event is still
    /// borrowed: an echoed message is copied once and needs no owned value. The fastest way.
    ///
    /// # Errors
    ///
    /// Those of [`event`](Self::event).
    #[inline]
    pub fn lend(&mut self, ready: Ready, out: &mut Outbox) -> Result<(SessionEvent<'_>, Writing<'_>), Cause> {
        let Self { recv, writer } = self;
        match recv.event(ready) {
            Ok(Event::Text(text)) => Ok((SessionEvent::Text(text), writer.writing())),
            Ok(Event::Binary(payload)) => Ok((SessionEvent::Binary(payload), writer.writing())),
            other => writer.reply(other, out),
        }
    }

    /// Writes a Pong that was kept: see [`Sender::settle`]. Call it when the transport has taken bytes.
    #[inline]
    pub fn settle(&mut self, out: &mut Outbox) {
        self.writer.settle(out);
    }

    /// Polls like [`poll`](Self::poll), but messages come in pieces, as they arrive: see [`Receiver::poll_piece`].
    pub fn poll_piece(&mut self, out: &mut Outbox) -> Option<NextPiece> {
        self.writer.settle(out);
        let mut next = self.recv.poll_piece();
        while let Some(NextPiece::Event(Ready(due @ What::PingDue(_)))) = next {
            self.keep_alive(Ready(due), out);
            next = self.recv.poll_piece();
        }
        next
    }

    /// Consumes a part of a message that is ready.
    ///
    /// # Errors
    ///
    /// Those of [`event`](Self::event).
    pub fn piece(&mut self, ready: PieceReady, out: &mut Outbox) -> Result<Piece<'_>, Cause> {
        match self.recv.piece(ready) {
            Ok(piece) => Ok(piece),
            Err(failure) => {
                let cause = failure.cause().clone();
                self.writer.fail(failure, out);
                Err(cause)
            }
        }
    }

    /// Returns the right to write, as far as the session holds it.
    #[inline]
    pub fn writing(&mut self) -> Writing<'_> {
        self.writer.writing()
    }

    /// Starts a message in pieces, unless one has begun or a Close is written. Returns the right to write.
    pub fn start(&mut self, kind: Kind) -> Writing<'_> {
        self.writer.change(|writer| match writer {
            Writer::Idle(sender) => Writer::Streaming(sender.fragments(kind)),
            Writer::Streaming(_) | Writer::Closed(_) => writer,
        });
        self.writing()
    }

    /// Starts a message in pieces like [`start`](Self::start), and sets whether it is compressed.
    #[cfg(feature = "deflate")]
    pub fn start_with(&mut self, kind: Kind, compression: super::Compression) -> Writing<'_> {
        self.writer.change(|writer| match writer {
            Writer::Idle(sender) => Writer::Streaming(sender.fragments_with(kind, compression)),
            Writer::Streaming(_) | Writer::Closed(_) => writer,
        });
        self.writing()
    }

    /// True if compression was agreed on and our Close is not written.
    #[cfg(feature = "deflate")]
    pub fn deflates(&self) -> bool {
        match &self.writer {
            Writer::Idle(sender) => sender.deflates(),
            Writer::Streaming(fragments) => fragments.deflates(),
            Writer::Closed(_) => false,
        }
    }

    /// The memory held beyond the inbox and the outbox, in bytes: for a message in flight, and for what compression
    /// keeps of earlier ones.
    pub fn held_bytes(&self) -> usize {
        self.recv.held_bytes().saturating_add(match &self.writer {
            Writer::Idle(sender) => sender.held_bytes(),
            Writer::Streaming(fragments) => fragments.held_bytes(),
            Writer::Closed(_) => 0,
        })
    }

    /// Ends the message in pieces, if one has begun. Returns the right to write.
    pub fn finish(&mut self, out: &mut Outbox) -> Writing<'_> {
        self.writer.change(|writer| match writer {
            Writer::Streaming(fragments) => Writer::Idle(fragments.finish(out)),
            Writer::Idle(_) | Writer::Closed(_) => writer,
        });
        self.writing()
    }

    /// Ends writing. Writes our Close, unless it is already written: because the peer's was answered, or because
    /// nothing more is received.
    pub fn close(self, close: Close, out: &mut Outbox) -> Closing {
        let sent = match self.writer {
            Writer::Idle(sender) => sender.close(close, out),
            Writer::Streaming(fragments) => fragments.close(close, out),
            Writer::Closed(sent) => sent,
        };
        self.recv.closing(sent)
    }

    /// Splits the session. `None` if a message in pieces has begun, or our Close is written.
    pub fn into_parts(self) -> Option<(Receiver, Sender)> {
        match self.writer {
            Writer::Idle(sender) => Some((self.recv, sender)),
            Writer::Streaming(_) | Writer::Closed(_) => None,
        }
    }

    /// Notes that the caller does not wait for the peer at `now`: see [`Receiver::pause`].
    pub fn pause(&mut self, now: Instant) {
        self.recv.pause(now);
    }

    /// Sets the pace of messages on this socket: see [`Receiver::set_message_pace`].
    pub fn set_message_pace(&mut self, pace: Pace) {
        self.recv.set_message_pace(pace);
    }

    /// When to poll again even if nothing arrives: read first, then call [`Inbox::dry`].
    pub fn deadline(&self) -> Option<Deadline> {
        self.recv.deadline()
    }

    #[inline(never)]
    fn poll_slowly(&mut self, out: &mut Outbox) -> Option<Ready> {
        self.writer.settle(out);
        let mut ready = self.recv.engine.poll_slowly(&mut self.recv.inbox, Reception::Whole);
        while let Some(Ready(due @ What::PingDue(_))) = ready {
            self.keep_alive(Ready(due), out);
            ready = self.recv.engine.poll_slowly(&mut self.recv.inbox, Reception::Whole);
        }
        ready
    }

    /// Checks what the peer has acknowledged, if its pong is late at `now`: it cannot answer a ping that it has not
    /// received. While the peer still takes bytes that were written before the ping, its time begins again. Call it
    /// before [`poll`](Self::poll), when nothing arrived.
    ///
    /// `unacknowledged` is as for [`Outbox::poll`].
    pub fn look(&mut self, now: Instant, out: &mut Outbox, unacknowledged: impl FnOnce() -> Option<u64>) {
        let pong = self.recv.engine.keep_alive.deadline(&self.recv.engine.limits);
        let is_late = pong.is_some_and(|pong| pong.reason == Limit::PongTime && now >= pong.at);
        if let Some(has) = if is_late { out.gained(unacknowledged()) } else { None } {
            self.recv.engine.keep_alive.takes(now, has);
        }
    }

    fn keep_alive(&mut self, due: Ready, out: &mut Outbox) {
        let Ok(Event::PingDue(due)) = self.recv.event(due) else { return };
        self.recv.engine.keep_alive.pinged_behind(out.written());
        self.writer.keep_alive(due, out);
    }
}

impl Writer {
    #[inline]
    fn writing(&mut self) -> Writing<'_> {
        match self {
            Self::Idle(sender) => Writing::Idle(sender),
            Self::Streaming(fragments) => Writing::Streaming(fragments),
            Self::Closed(_) => Writing::Closed,
        }
    }

    /// Runs one transition. If it panics, the session cannot write afterwards.
    fn change(&mut self, transition: impl FnOnce(Self) -> Self) {
        let writer = mem::replace(self, Self::Closed(CloseSent(Close::EMPTY)));
        *self = transition(writer);
    }

    /// Writes the answer that the peer is owed for an event.
    #[inline(never)]
    fn reply<'a>(
        &'a mut self,
        event: Result<Event<'a>, Failure>,
        out: &mut Outbox,
    ) -> Result<(SessionEvent<'a>, Writing<'a>), Cause> {
        let event = match event {
            Ok(Event::Text(text)) => SessionEvent::Text(text),
            Ok(Event::Binary(payload)) => SessionEvent::Binary(payload),
            Ok(Event::Ping(ping)) => {
                let payload = ping.0.clone();
                self.pong(ping, out);
                SessionEvent::Ping(payload)
            }
            Ok(Event::Pong(payload)) => SessionEvent::Pong(payload),
            Ok(Event::PingDue(due)) => {
                // Only a token of another receiver leads here: `poll` writes the pings of this one.
                self.keep_alive(due, out);
                SessionEvent::Pong(Control::EMPTY)
            }
            Ok(Event::Close(close)) => {
                let said = close.0.clone();
                self.answer(close, out);
                SessionEvent::Close(said)
            }
            Err(failure) => {
                let cause = failure.cause().clone();
                self.fail(failure, out);
                return Err(cause);
            }
        };
        Ok((event, self.writing()))
    }

    fn pong(&mut self, ping: Ping<'_>, out: &mut Outbox) {
        match self {
            Self::Idle(sender) => sender.pong(ping, out),
            Self::Streaming(fragments) => fragments.pong(ping, out),
            Self::Closed(_) => {}
        }
    }

    fn keep_alive(&mut self, due: PingDue, out: &mut Outbox) {
        match self {
            Self::Idle(sender) => sender.keep_alive(due, out),
            Self::Streaming(fragments) => fragments.keep_alive(due, out),
            Self::Closed(_) => {}
        }
    }

    #[inline]
    fn settle(&mut self, out: &mut Outbox) {
        match self {
            Self::Idle(sender) => sender.settle(out),
            Self::Streaming(fragments) => fragments.settle(out),
            Self::Closed(_) => {}
        }
    }

    fn answer(&mut self, close: PeerClose, out: &mut Outbox) {
        self.change(|writer| {
            Self::Closed(match writer {
                Self::Idle(sender) => sender.answer(close, out),
                Self::Streaming(fragments) => fragments.answer(close, out),
                Self::Closed(sent) => sent,
            })
        });
    }

    fn fail(&mut self, failure: Failure, out: &mut Outbox) {
        self.change(|writer| {
            Self::Closed(match writer {
                Self::Idle(sender) => sender.fail(failure, out),
                Self::Streaming(fragments) => fragments.fail(failure, out),
                Self::Closed(sent) => sent,
            })
        });
    }
}
