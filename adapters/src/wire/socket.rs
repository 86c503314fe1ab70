//! A WebSocket's side of a connection: the session lies here, so that the driver can read, answer, ping and close for
//! it while the application does something else.

use std::task::{Context, Poll, ready};

use bytes::Buf as _;
use endwell_core::ws::{Close, Closing, Ended as WsEnded, Ready, Session, SessionEvent, Writing};
use endwell_core::{Deadline, Held, Inbox, Outbox, Pace, Step};

use super::{Outcome, Wire};
use crate::Ended;
use crate::ws::Message;

/// What a connection's WebSocket is. Behind a pointer: most connections have none.
#[derive(Default)]
pub(crate) enum SocketState {
    /// There is none.
    #[default]
    None,
    /// It can be written to.
    Open(Box<Session>),
    /// Our Close is written. The driver does the rest, whatever becomes of the application.
    Closing(Box<ClosingSocket>),
    /// It has ended.
    Over(Box<Ended>),
}

/// A WebSocket whose Close is written.
pub(crate) struct ClosingSocket {
    closing: Held<Closing>,
    end_of_stream: EndOfStream,
}

/// Whether the write side was ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndOfStream {
    Owed,
    Sent,
}

impl SocketState {
    /// Takes an open session out, and leaves every other state as it is.
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

    /// The connection is over. What is left is how.
    pub(super) fn hang_up(&mut self, ended: Option<&Ended>) {
        if let (Self::Open(_) | Self::Closing(_), Some(ended)) = (&*self, ended) {
            *self = Self::Over(Box::new(ended.clone()));
        }
    }

    /// Where received bytes go.
    pub(super) fn inbox(&mut self) -> Option<&mut Inbox> {
        match self {
            Self::Open(session) => Some(session.inbox()),
            Self::Closing(socket) => socket.closing.as_mut().map(Closing::inbox),
            Self::None | Self::Over(_) => None,
        }
    }

    /// Bytes that it holds beyond its inbox: of a message that is under way, and what compression keeps.
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
    /// Closes, unless it is closing: behind what outlets have accepted.
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

    /// The socket is not open any more: outlets learn how far that is.
    pub(crate) fn tell_outlets(&mut self) {
        let Some(queue) = &self.queue else { return };
        match self.socket.ended().or(self.ended.as_deref().cloned()) {
            Some(ended) => queue.ended(&ended, self.position(), &mut self.woken),
            None => queue.closed(&mut self.woken),
        }
    }

    /// Both sides have said all: the application need not come back for the connection to end.
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

    /// The next message, received now; `None` when nothing more will come.
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
            // The peer is told why, and the end says it.
            Err(_) => None,
        };
        self.write_now(cx);
        Poll::Ready(message)
    }

    /// The next event of an open socket. `None`: nothing more will come.
    ///
    /// However much is queued: two ends that each waited for the other to take something would wait for ever. What an
    /// application sends waits for room where it is sent, and of pongs one is kept.
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

    /// What `poll` finds in an open socket, once there is something.
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
            // Nothing was there: a ping may be due, or a limit met.
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

    /// The peer is not waited for any more: a wait for a message was given up.
    pub(crate) fn stop_receiving(&mut self) {
        if self.is_read_ahead() {
            return;
        }
        self.waiters.stop_reading(&mut self.woken);
        let now = self.now();
        if let SocketState::Open(session) = &mut self.socket {
            session.pause(now);
        }
    }

    /// The pace of the messages that are received.
    pub(crate) fn set_message_pace(&mut self, pace: Pace) {
        if let SocketState::Open(session) = &mut self.socket {
            session.set_message_pace(pace);
        }
        self.leave_to_driver();
    }

    /// What is queued goes to the transport now: the answer to a control frame is on the wire before the event is
    /// handed out.
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

    /// Reads what is there for a socket whose reader waits in another task. True if it has something to look at.
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

    /// A reader that waits elsewhere has not seen that nothing was there: its time runs from here, and a ping may be
    /// due. True if it must look itself.
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

    /// Takes a closing socket as far as it goes. What is over is concluded.
    pub(super) fn poll_closing(&mut self, cx: &mut Context<'_>) {
        loop {
            let SocketState::Closing(socket) = &mut self.socket else { return };
            let ClosingSocket { closing: held, end_of_stream } = &mut **socket;
            let now = self.transport.now();
            if let Some(closing) = held.as_mut() {
                let is_late = closing.deadline().is_some_and(|deadline| now >= deadline.at);
                if is_late && self.out.is_on_its_way(now, || self.transport.unacknowledged()) {
                    closing.extend(now);
                }
            }
            let over = held.step(|closing| match closing.poll(now, &self.out) {
                Step::Wait(closing) => (Some(closing), None),
                Step::Done(ended) => (None, Some(ended)),
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

    /// The connection has ended like this, perhaps while the socket was closing. How it ended then: once both Closes
    /// have passed, or the protocol has failed, nothing that comes later changes that. A Close that is still queued
    /// has not passed, nor has what was accepted before it.
    pub(super) fn cut_socket(&mut self, ended: Ended) -> Ended {
        let SocketState::Closing(socket) = &mut self.socket else { return ended };
        let ended = match socket.closing.take().map_or(WsEnded::Transport, Closing::cut) {
            WsEnded::Transport => ended,
            WsEnded::Closed { .. } if !self.out.is_empty() => ended,
            known @ (WsEnded::Closed { .. }
            | WsEnded::Violated(_)
            | WsEnded::Exceeded(_)
            | WsEnded::EndOfStream) => Ended::WebSocket(known),
        };
        self.socket_is_over(ended.clone());
        ended
    }

    /// The socket has ended like this, unless the connection had ended before: that is not told in two ways.
    fn socket_is_over(&mut self, ended: Ended) {
        let ended = self.ended.as_deref().cloned().unwrap_or(ended);
        self.socket = SocketState::Over(Box::new(ended.clone()));
        self.tell_outlets();
        // What is still queued has nobody to go to.
        let rest = self.out.len();
        self.out.advance(rest);
        self.conclude(Outcome::Ended(ended));
        self.wake_waiters();
        // It was the driver that found this, in a turn in which it had looked for the outcome already.
        self.wake_driver();
    }
}
