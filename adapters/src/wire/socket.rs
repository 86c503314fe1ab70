//! A WebSocket's side of a connection: the session lies here, so that the driver can read, answer, ping and close for
//! it while the application does something else.

use std::task::{Context, Poll, ready};

use bytes::Buf as _;
use endwell_core::ws::{Close, Closing, Ended as WsEnded, Ready, Session};
use endwell_core::{Deadline, Held, Inbox, Step};

use super::{Outcome, Until, Wire};
use crate::Ended;

/// What a connection's WebSocket is.
#[derive(Default)]
pub(crate) enum SocketState {
    /// There is none.
    #[default]
    None,
    /// It can be written to.
    Open(Session),
    /// Our Close is written. The driver does the rest, whatever becomes of the application.
    Closing(Held<Closing>, EndOfStream),
    /// It has ended.
    Over(Ended),
}

/// Whether the write side was ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndOfStream {
    Owed,
    Sent,
}

impl SocketState {
    /// Takes an open session out, and leaves every other state as it is.
    pub(crate) fn take_open(&mut self) -> Option<Session> {
        match std::mem::take(self) {
            Self::Open(session) => Some(session),
            other @ (Self::None | Self::Closing(..) | Self::Over(_)) => {
                *self = other;
                None
            }
        }
    }

    /// Where received bytes go.
    pub(super) fn inbox(&mut self) -> Option<&mut Inbox> {
        match self {
            Self::Open(session) => Some(session.inbox()),
            Self::Closing(closing, _) => closing.as_mut().map(Closing::inbox),
            Self::None | Self::Over(_) => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Deadline> {
        match self {
            Self::Open(session) => session.deadline(),
            Self::Closing(closing, _) => closing.as_ref().and_then(Closing::deadline),
            Self::None | Self::Over(_) => None,
        }
    }
}

impl Wire {
    /// Writes our Close, unless one is written, and leaves the rest to the driver.
    pub(crate) fn close_socket(&mut self, close: Close) {
        if let Some(session) = self.socket.take_open() {
            let closing = session.close(close, &mut self.out);
            self.socket = SocketState::Closing(Held::new(closing), EndOfStream::Owed);
            self.wake_waiters();
            self.leave_to_driver();
        }
    }

    /// The next event of an open socket. `None`: nothing more will come.
    #[inline]
    pub(crate) fn poll_socket(&mut self, cx: &mut Context<'_>) -> Poll<Option<Ready>> {
        if !self.out.is_above_high_water() {
            if let SocketState::Open(session) = &mut self.socket {
                if let Some(ready) = session.poll(&mut self.out) {
                    return Poll::Ready(Some(ready));
                }
            }
        }
        self.poll_socket_slowly(cx)
    }

    #[inline(never)]
    fn poll_socket_slowly(&mut self, cx: &mut Context<'_>) -> Poll<Option<Ready>> {
        loop {
            if self.ended.is_some() {
                return Poll::Ready(None);
            }
            if self.out.is_above_high_water() && ready!(self.poll_output(cx, Until::Room(0))).is_err() {
                return Poll::Ready(None);
            }
            let SocketState::Open(session) = &mut self.socket else { return Poll::Ready(None) };
            if let Some(ready) = session.poll(&mut self.out) {
                return Poll::Ready(Some(ready));
            }
            if let endwell_core::ws::Writing::Closed = session.writing() {
                return Poll::Ready(None);
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
                let queued = self.out.len();
                if let Some(ready) = session.poll(&mut self.out) {
                    return Poll::Ready(Some(ready));
                }
                if self.out.len() > queued {
                    continue;
                }
            }
            self.waiters.reader = Some(cx.waker().clone());
            self.leave_to_driver();
            return Poll::Pending;
        }
    }

    /// What is queued goes to the transport now: the answer to a control frame is on the wire before the event is
    /// handed out.
    pub(crate) fn write_now(&mut self, cx: &mut Context<'_>) {
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

    /// Reads what is there for a socket whose reader waits in another task. True if the reader has something to do.
    pub(super) fn read_for_socket(&mut self, cx: &mut Context<'_>) -> Result<bool, Ended> {
        let mut arrived = false;
        while self.socket.inbox().is_some_and(|inbox| !inbox.is_full() && !inbox.has_ended()) {
            match self.poll_fill_socket(cx) {
                Poll::Ready(filled) => filled?,
                Poll::Pending => break,
            }
            arrived = true;
        }
        if arrived || self.waiters.reader.is_none() {
            return Ok(arrived);
        }
        // Nothing was there. The reader is not woken for that, so its clocks start here, and a ping that is due goes.
        let SocketState::Open(session) = &mut self.socket else { return Ok(false) };
        let queued = self.out.len();
        let ready = session.poll(&mut self.out).is_some();
        if self.out.len() > queued {
            if let Poll::Ready(Err(ended)) = self.poll_write_out(cx) {
                return Err(ended);
            }
        }
        Ok(ready)
    }

    /// Takes a closing socket as far as it goes. What is over is concluded.
    pub(super) fn poll_closing(&mut self, cx: &mut Context<'_>) {
        loop {
            let SocketState::Closing(held, end_of_stream) = &mut self.socket else { return };
            let now = self.transport.now();
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
    /// have passed, or the protocol has failed, nothing that comes later changes that.
    pub(super) fn cut_socket(&mut self, ended: Ended) -> Ended {
        let SocketState::Closing(held, _) = &mut self.socket else { return ended };
        let ended = match held.take().map_or(WsEnded::Transport, Closing::cut) {
            WsEnded::Transport => ended,
            known @ (WsEnded::Closed { .. }
            | WsEnded::Violated(_)
            | WsEnded::Exceeded(_)
            | WsEnded::EndOfStream) => Ended::WebSocket(known),
        };
        self.socket_is_over(ended.clone());
        ended
    }

    fn socket_is_over(&mut self, ended: Ended) {
        // What is still queued has nobody to go to.
        let rest = self.out.len();
        self.out.advance(rest);
        self.socket = SocketState::Over(ended.clone());
        self.conclude(Outcome::Ended(ended));
        self.wake_waiters();
        // It was the driver that found this, in a turn in which it had looked for the outcome already.
        self.wake_driver();
    }
}
