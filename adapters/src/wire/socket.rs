//! A WebSocket's side of a connection. The session is stored here, so that the driver can read, answer, ping and close
//! for it while the application does something else.

use std::task::{Context, Poll, ready};

use bytes::Buf as _;
use endwell_core::ws::{Close, Closing, Ended as WsEnded, Ready, Session, SessionEvent, Writing};
use endwell_core::{Deadline, Held, Inbox, Outbox, Pace, Step};

use super::{Outcome, Wire};
use crate::Ended;
use crate::ws::Message;

/// The WebSocket of a connection. Boxed: most connections have none.
#[derive(Default)]
pub(crate) enum SocketState {
    /// The connection has no WebSocket.
    #[default]
    None,
    /// It can be written to.
    Open(Box<Session>),
    /// Our Close is written. The driver does the rest, whatever the application does.
    Closing(Box<ClosingSocket>),
    /// It has ended.
    Over(Box<Ended>),
}

/// A WebSocket whose Close is written.
pub(crate) struct ClosingSocket {
    closing: Held<Closing>,
    end_of_stream: EndOfStream,
}

/// Whether the write side has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndOfStream {
    Owed,
    Sent,
}

impl SocketState {
    /// Takes an open session out, and leaves every other state unchanged.
    pub(crate) fn take_open(&mut self) -> Option<Box<Session>> {
        match std::mem::take(self) {
            Self::Open(session) => Some(session),
            other @ (Self::None | Self::Closing(..) | Self::Over(_)) => {
                *self = other;
                None
            }
        }
    }

    /// How it ended, once it has.
    pub(crate) fn ended(&self) -> Option<Ended> {
        match self {
            Self::Over(ended) => Some((**ended).clone()),
            Self::None | Self::Open(_) | Self::Closing(_) => None,
        }
    }

    /// Ends the socket with the connection, and keeps only how it ended.
    pub(super) fn hang_up(&mut self, ended: Option<&Ended>) {
        if let (Self::Open(_) | Self::Closing(_), Some(ended)) = (&*self, ended) {
            *self = Self::Over(Box::new(ended.clone()));
        }
    }

    /// The inbox for received bytes.
    pub(super) fn inbox(&mut self) -> Option<&mut Inbox> {
        match self {
            Self::Open(session) => Some(session.inbox()),
            Self::Closing(socket) => socket.closing.as_mut().map(Closing::inbox),
            Self::None | Self::Over(_) => None,
        }
    }

    /// The bytes held beyond its inbox: for a message in flight, and by compression.
    pub(super) fn held_bytes(&self) -> usize {
        match self {
            Self::Open(session) => session.held_bytes(),
            Self::Closing(_) | Self::None | Self::Over(_) => 0,
        }
    }

    pub(super) fn deadline(&self) -> Option<Deadline> {
        match self {
            Self::Open(session) => session.deadline(),
            Self::Closing(socket) => socket.closing.as_ref().and_then(Closing::deadline),
            Self::None | Self::Over(_) => None,
        }
    }
}

impl Wire {
    /// Closes, unless it is closing already: after what outlets have accepted.
    pub(crate) fn close_socket(&mut self, close: Close) {
        let SocketState::Open(session) = &mut self.socket else { return };
        let close = match (&self.queue, session.writing()) {
            (Some(queue), Writing::Idle(_)) => queue.close_behind(close, &mut self.woken),
            (Some(_) | None, _) => Some(close),
        };
        match close {
            Some(close) => self.close_socket_now(close),
            None => self.leave_to_driver(),
        }
    }

    /// Writes our Close, unless one is written, and leaves the rest to the driver.
    pub(super) fn close_socket_now(&mut self, close: Close) {
        let Some(session) = self.socket.take_open() else { return };
        let closing = session.close(close, &mut self.out);
        let closing = ClosingSocket { closing: Held::new(closing), end_of_stream: EndOfStream::Owed };
        self.socket = SocketState::Closing(closing.into());
        self.tell_outlets();
        self.wake_waiters();
        self.leave_to_driver();
    }

    /// Tells outlets that the socket is no longer open, and how it ended if it has.
    pub(crate) fn tell_outlets(&mut self) {
        let Some(queue) = &self.queue else { return };
        match self.socket.ended().or(self.ended.as_deref().cloned()) {
            Some(ended) => queue.ended(&ended, self.position(), &mut self.woken),
            None => queue.closed(&mut self.woken),
        }
    }

    /// Closes once both sides have sent all: the connection can end without the application.
    fn close_if_over(&mut self) {
        if let SocketState::Open(session) = &mut self.socket {
            if let Writing::Closed = session.writing() {
                self.close_socket_now(Close::EMPTY);
            }
        }
    }

    /// How it ended, or that it is closing.
    pub(crate) fn how_it_ends(&self) -> Ended {
        self.socket.ended().or_else(|| self.ended.as_deref().cloned()).unwrap_or(Ended::Announced)
    }

    /// True if a message may still come.
    pub(super) fn may_receive(&self) -> bool {
        self.ended.is_none() && matches!(self.socket, SocketState::Open(_))
    }

    /// Receives the next message; `None` if nothing more will come.
    #[inline]
    pub(crate) fn poll_next_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let Some(ready) = ready!(self.poll_socket(cx)) else { return Poll::Ready(None) };
        let SocketState::Open(session) = &mut self.socket else { return Poll::Ready(None) };
        let message = match session.event(ready, &mut self.out) {
            Ok(SessionEvent::Text(text)) => return Poll::Ready(Some(Message::received_text(text))),
            Ok(SessionEvent::Binary(data)) => return Poll::Ready(Some(Message::received_binary(data))),
            Ok(SessionEvent::Ping(payload)) => Some(Message::ping(payload)),
            Ok(SessionEvent::Pong(payload)) => Some(Message::pong(payload)),
            Ok(SessionEvent::Close(close)) => Some(Message::close(close)),
            // The peer is told why, and the end reports it.
            Err(_) => None,
        };
        self.write_now(cx);
        Poll::Ready(message)
    }

    /// Receives the next event of an open socket. `None` if nothing more will come.
    ///
    /// It reads however much is queued: two ends that each waited for the other to read would wait for ever. An
    /// application's messages wait for room where they are sent, and only one pong is kept.
    #[inline]
    pub(crate) fn poll_socket(&mut self, cx: &mut Context<'_>) -> Poll<Option<Ready>> {
        if let SocketState::Open(session) = &mut self.socket {
            if let Some(ready) = session.poll(&mut self.out) {
                return Poll::Ready(Some(ready));
            }
        }
        self.waiters.takes_pieces = false;
        self.poll_session(cx, Session::poll)
    }

    /// Returns what `poll` finds in an open socket, once there is something.
    #[inline(never)]
    pub(super) fn poll_session<R>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl Fn(&mut Session, &mut Outbox) -> Option<R>,
    ) -> Poll<Option<R>> {
        loop {
            if self.ended.is_some() {
                return Poll::Ready(None);
            }
            let SocketState::Open(session) = &mut self.socket else { return Poll::Ready(None) };
            if let Some(ready) = poll(session, &mut self.out) {
                self.waiters.stop_reading(&mut self.woken);
                return Poll::Ready(Some(ready));
            }
            if let Poll::Ready(Err(ended)) = self.poll_driving(cx, Self::poll_write_out) {
                self.end(ended);
                continue;
            }
            match self.poll_driving(cx, Self::poll_fill_socket) {
                Poll::Ready(Ok(())) => continue,
                Poll::Ready(Err(ended)) => {
                    self.end(ended);
                    continue;
                }
                Poll::Pending => {}
            }
            // The read found nothing: a ping may be due, or a limit met.
            if let SocketState::Open(session) = &mut self.socket {
                let now = self.transport.now();
                session.look(now, &mut self.out, || self.transport.unacknowledged());
                let queued = self.out.len();
                if let Some(ready) = poll(session, &mut self.out) {
                    self.waiters.stop_reading(&mut self.woken);
                    return Poll::Ready(Some(ready));
                }
                if self.out.len() > queued {
                    continue;
                }
            }
            let is_new = self.waiters.read(cx, &mut self.woken);
            self.wait_for_driver(is_new);
            return Poll::Pending;
        }
    }

    /// Sets the pace of received messages.
    pub(crate) fn set_message_pace(&mut self, pace: Pace) {
        if let SocketState::Open(session) = &mut self.socket {
            session.set_message_pace(pace);
        }
        self.leave_to_driver();
    }

    /// Sends queued output now: the answer to a control frame is on the wire before its event is handed out.
    pub(crate) fn write_now(&mut self, cx: &mut Context<'_>) {
        self.close_if_over();
        if let Poll::Ready(Err(ended)) = self.poll_driving(cx, Self::poll_write_out) {
            self.end(ended);
        }
        self.leave_to_driver();
    }

    fn poll_fill_socket(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        match self.socket.inbox() {
            Some(inbox) if !inbox.has_ended() => super::fill(&mut self.transport, cx, inbox),
            _ => Poll::Pending,
        }
    }

    /// Reads for a socket whose reader waits in another task. True if there is something for the reader.
    pub(super) fn read_for_socket(&mut self, cx: &mut Context<'_>) -> Result<bool, Ended> {
        let mut arrived = false;
        while self.socket.inbox().is_some_and(|inbox| !inbox.is_full() && !inbox.has_ended()) {
            match self.poll_fill_socket(cx) {
                Poll::Ready(filled) => filled?,
                Poll::Pending => return Ok(arrived || self.judge_silence(cx)?),
            }
            arrived = true;
        }
        Ok(arrived)
    }

    /// Judges silence for a reader in another task, which has not seen it: its time runs from here, and a ping may be
    /// due. True if the reader must look itself.
    fn judge_silence(&mut self, cx: &mut Context<'_>) -> Result<bool, Ended> {
        let SocketState::Open(session) = &mut self.socket else { return Ok(false) };
        if self.waiters.reader.is_none() {
            return Ok(false);
        }
        let queued = self.out.len();
        session.look(self.transport.now(), &mut self.out, || self.transport.unacknowledged());
        let is_due = if self.waiters.takes_pieces {
            session.poll_piece(&mut self.out).is_some()
        } else {
            session.poll(&mut self.out).is_some()
        };
        if self.out.len() > queued {
            if let Poll::Ready(written) = self.poll_write_out(cx) {
                written?;
            }
        }
        Ok(is_due)
    }

    /// Takes a closing socket as far as possible, and ends it once it is over.
    pub(super) fn poll_closing(&mut self, cx: &mut Context<'_>) {
        loop {
            let is_flushed = self.is_flushed();
            let SocketState::Closing(socket) = &mut self.socket else { return };
            let ClosingSocket { closing: held, end_of_stream } = &mut **socket;
            let now = self.transport.now();
            if let Some(closing) = held.as_mut() {
                let is_late = closing.deadline().is_some_and(|deadline| now >= deadline.at);
                if is_late && self.out.is_on_its_way(now, || self.transport.unacknowledged()) {
                    closing.extend(now);
                }
            }
            let over = held.step(|mut closing| {
                if !is_flushed {
                    closing.discard();
                    return (Some(closing), None);
                }
                match closing.poll(now, &self.out) {
                    Step::Wait(closing) => (Some(closing), None),
                    Step::Done(ended) => (None, Some(ended)),
                }
            });
            let Some(closing) = held.as_mut() else {
                let over = over.flatten().unwrap_or(WsEnded::Transport);
                return self.socket_is_over(Ended::WebSocket(over));
            };
            if *end_of_stream == EndOfStream::Owed && closing.ends_writing(&self.out) {
                match self.transport.poll_end_write(cx) {
                    Poll::Ready(Ok(())) => *end_of_stream = EndOfStream::Sent,
                    Poll::Ready(Err(error)) => return self.end(error.into()),
                    Poll::Pending => {}
                }
            }
            match self.poll_fill_socket(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(ended)) => return self.end(ended),
                Poll::Pending => return,
            }
        }
    }

    /// Ends the socket after the connection ended with `ended`, perhaps while the socket was closing. Returns how the
    /// socket ended: once both Closes have passed, or the protocol has failed, later events do not change that. A Close
    /// that is still queued has not passed, nor has anything accepted before it.
    pub(super) fn cut_socket(&mut self, ended: Ended) -> Ended {
        let is_flushed = self.is_flushed();
        let SocketState::Closing(socket) = &mut self.socket else { return ended };
        let ended = match socket.closing.take().map_or(WsEnded::Transport, Closing::cut) {
            WsEnded::Transport => ended,
            WsEnded::Closed { .. } if !is_flushed => ended,
            known @ (WsEnded::Closed { .. }
            | WsEnded::Violated(_)
            | WsEnded::Exceeded(_)
            | WsEnded::EndOfStream) => Ended::WebSocket(known),
        };
        self.socket_is_over(ended.clone());
        ended
    }

    /// Ends the socket with `ended`, unless the connection had already ended: the result is reported once.
    fn socket_is_over(&mut self, ended: Ended) {
        let ended = self.ended.as_deref().cloned().unwrap_or(ended);
        self.socket = SocketState::Over(Box::new(ended.clone()));
        self.tell_outlets();
        // Output that is still queued has no receiver.
        let rest = self.out.len();
        self.out.advance(rest);
        self.conclude(Outcome::Ended(ended));
        self.wake_waiters();
        // The driver found this, in a turn in which it had already looked for the outcome.
        self.wake_driver();
    }
}
