//! A WebSocket's side of a connection: the driver can read, answer, ping and close for it while the application does
//! something else.

use std::task::{Context, Poll, ready};

use endwell_core::Pace;
use endwell_core::ws::{self as core_ws, Close, Control, Event, Full, Idle, Piece, Socket, Within};

use super::background::Reader;
use crate::connection::{Connection, EVENT, Side, State, Until};
use crate::ws::{Message, Position};
use crate::{Ended, scratch};

impl Connection {
    /// Closes, unless it is closing already: after what outlets have accepted.
    pub(crate) fn close_socket(&mut self, close: Close) {
        if let State::Receiving(_) = self.state {
            // Our Close is written, and the reader goes on.
            return;
        }
        let close = match (&self.queue, &self.state) {
            (Some(queue), State::Socket(_)) => queue.close_behind(close, &mut self.woken),
            (Some(_) | None, _) => Some(close),
        };
        match close {
            Some(close) => self.close_socket_now(close),
            None => self.leave_to_driver(),
        }
    }

    /// Closes as [`close_socket`](Self::close_socket) does, and goes on receiving until the peer's Close.
    pub(crate) fn close_writing(&mut self, close: Close) {
        if self.reader == Reader::Reads {
            self.reader = Reader::ReadsOn;
        }
        self.close_socket(close);
    }

    /// Ends the last right on a socket.
    pub(crate) fn close_now(&mut self) {
        self.close_socket_now(Close::EMPTY);
    }

    /// Writes our Close, unless one is written, and leaves the rest to the driver. After the peer's Close it is the answer,
    /// and after a failure it tells why.
    pub(crate) fn close_socket_now(&mut self, close: Close) {
        self.state = match self.state.take() {
            State::Socket(socket) if self.reader == Reader::ReadsOn => {
                State::Receiving(socket.close_writing(close))
            }
            State::Within(socket) if self.reader == Reader::ReadsOn => {
                State::Receiving(socket.close_writing(close))
            }
            State::Socket(socket) => State::closing_socket(socket.close(close)),
            State::Within(socket) => State::closing_socket(socket.close(close)),
            State::Receiving(receiving) => State::closing_socket(receiving.discard()),
            other => {
                self.state = other;
                return;
            }
        };
        self.tell_outlets();
        self.wake_waiters();
        self.leave_to_driver();
    }

    /// Tells outlets that the socket is no longer open, and how it ended if it has.
    pub(crate) fn tell_outlets(&mut self) {
        let position = self.position();
        let ended = self.ended().cloned();
        let Self { queue: Some(queue), woken, .. } = self else { return };
        match ended {
            Some(ended) => queue.ended(&ended, position, woken),
            None => queue.closed(woken),
        }
    }

    /// How it ended, or that it is closing.
    pub(crate) fn how_it_ends(&self) -> Ended {
        self.ended().cloned().unwrap_or(Ended::ANNOUNCED)
    }

    /// True if a message may still come.
    pub(crate) fn may_receive(&self) -> bool {
        self.ended.is_none() && self.state.receives()
    }

    /// Receives the next message; `None` if nothing more will come.
    ///
    /// It reads however much is queued: two ends that each waited for the other to read would wait for ever. An
    /// application's messages wait for room where they are sent, and only one pong is kept.
    #[inline]
    pub(crate) fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let mut may_be_there = self.may_go_on();
        loop {
            if may_be_there {
                if let taken @ Poll::Ready(_) = self.take_message() {
                    self.took_event();
                    return taken;
                }
            }
            if !ready!(self.poll_ready(cx, State::has_event)) {
                return Poll::Ready(None);
            }
            may_be_there = true;
        }
    }

    /// Takes the next message, or the `None` of the end. Pending if neither is there: no waker is kept.
    #[expect(clippy::inline_always, reason = "each message passes it, and a call would move the event")]
    #[inline(always)]
    fn take_message(&mut self) -> Poll<Option<Message>> {
        let Some(event) = self.state.event() else { return Poll::Pending };
        let message = match event {
            Event::Text(text) => {
                self.observed.received_message();
                return Poll::Ready(Some(Message::received_text(text)));
            }
            Event::Binary(data) => {
                self.observed.received_message();
                return Poll::Ready(Some(Message::received_binary(data)));
            }
            Event::Close(_) | Event::Failed(_) => {
                let message = Message::control(event);
                self.answer_close();
                message
            }
            Event::Ping(_) | Event::Pong(_) => Message::control(event),
        };
        // Pongs are gathered, and written before the task waits.
        self.leave_to_driver();
        Poll::Ready(message)
    }

    /// True if an event that is there may be taken without a wait. One look then finds and takes it.
    #[inline]
    pub(crate) fn may_go_on(&self) -> bool {
        self.ended.is_none() && !self.work.is_used_up()
    }

    /// An event was taken without a wait.
    #[inline]
    pub(crate) fn took_event(&mut self) {
        self.work.spend(EVENT);
        self.waiters.stop_reading(&mut self.woken);
    }

    /// Waits until `is_ready`. False if nothing more will come.
    #[inline(never)]
    pub(crate) fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        is_ready: impl Fn(&mut State) -> bool,
    ) -> Poll<bool> {
        if !self.may_receive() {
            return Poll::Ready(false);
        }
        ready!(self.poll_turn_left(cx));
        if is_ready(&mut self.state) {
            self.work.spend(EVENT);
            self.waiters.stop_reading(&mut self.woken);
            return Poll::Ready(true);
        }
        if self.state.is_busy() {
            self.work.use_up();
            ready!(self.poll_turn_left(cx));
        }
        self.wait_for_peer(cx)
    }

    /// Begins a message that is sent in pieces.
    pub(crate) fn begin_message(&mut self, begin: impl FnOnce(Socket) -> Socket<Within>) {
        match self.state.take() {
            State::Socket(socket) => self.state = State::Within(begin(socket)),
            other => self.state = other,
        }
    }

    /// Ends a message that is sent in pieces. One without a piece waits for room.
    pub(crate) fn poll_finish_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        loop {
            match self.state.take() {
                State::Within(socket) if self.ended.is_none() => match socket.finish() {
                    Ok(socket) => {
                        self.state = State::Socket(socket);
                        self.observed.sent_message();
                        self.leave_to_driver();
                        return Poll::Ready(Ok(()));
                    }
                    Err(Full(within)) => self.state = State::Within(within),
                },
                other => {
                    self.state = other;
                    return Poll::Ready(Err(self.how_it_ends()));
                }
            }
            ready!(self.poll_output(cx, Side::Writer, Until::Fits(1)))?;
        }
    }

    /// Hands an open socket over, with what it has received and queued. `None`, and it stays, within a message that is sent
    /// in pieces.
    pub(crate) fn release_socket(&mut self) -> Option<Socket> {
        match self.state.take() {
            State::Socket(mut socket) => {
                let mut io = socket.io();
                scratch::reclaim_room(&mut io);
                scratch::reclaim_output(&mut io);
                let position = Position::of(&io);
                self.observed.release(position);
                self.state = State::Raw(None);
                if let Some(queue) = &self.queue {
                    queue.closed(&mut self.woken);
                }
                Some(socket)
            }
            other => {
                self.state = other;
                None
            }
        }
    }

    /// Sets the pace of received messages.
    pub(crate) fn set_message_pace(&mut self, pace: Pace) {
        self.state.set_message_pace(pace);
        self.leave_to_driver();
    }

    /// Answers the peer's Close, or tells it of a failure.
    pub(crate) fn answer_close(&mut self) {
        self.close_socket_now(Close::EMPTY);
    }
}

impl State {
    /// True for a WebSocket that receives.
    #[inline]
    pub(crate) fn receives(&self) -> bool {
        matches!(self, Self::Socket(_) | Self::Within(_) | Self::Receiving(_))
    }

    /// True for a WebSocket that can write.
    #[inline]
    pub(crate) fn is_socket(&self) -> bool {
        matches!(self, Self::Socket(_) | Self::Within(_))
    }

    /// True if the socket has an event. False without one.
    #[inline]
    pub(crate) fn has_event(&mut self) -> bool {
        match self {
            Self::Socket(socket) => socket.ready(),
            Self::Within(socket) => socket.ready(),
            Self::Receiving(receiving) => receiving.ready(),
            _ => false,
        }
    }

    /// True if the socket was not ready only because the rest would take long.
    pub(crate) fn is_busy(&self) -> bool {
        match self {
            Self::Socket(socket) => socket.is_busy(),
            Self::Within(socket) => socket.is_busy(),
            Self::Receiving(receiving) => receiving.is_busy(),
            _ => false,
        }
    }

    /// True if a reader of the socket may have what it waits for. True without a socket.
    pub(crate) fn is_worth_a_look(&mut self) -> bool {
        match self {
            Self::Socket(socket) => socket.ready_again(),
            Self::Within(socket) => socket.ready_again(),
            Self::Receiving(receiving) => receiving.ready_again(),
            _ => true,
        }
    }

    /// The next event of a socket.
    #[inline]
    pub(crate) fn event(&mut self) -> Option<Event<'_>> {
        match self {
            Self::Socket(socket) => socket.event(),
            Self::Within(socket) => socket.event(),
            Self::Receiving(receiving) => receiving.event(),
            _ => None,
        }
    }

    /// The next event of a socket, and the means to reply if no message in pieces is being sent. `None` without a socket.
    #[inline]
    pub(crate) fn lend(&mut self) -> Option<(Option<Event<'_>>, Option<core_ws::Writer<'_, Idle>>)> {
        match self {
            Self::Socket(socket) => {
                let (event, writer) = socket.split();
                Some((event, Some(writer)))
            }
            Self::Within(socket) => Some((socket.event(), None)),
            Self::Receiving(receiving) => Some((receiving.event(), None)),
            _ => None,
        }
    }

    /// True if the socket compresses.
    #[cfg(feature = "deflate")]
    pub(crate) fn deflates(&self) -> bool {
        match self {
            Self::Socket(socket) => socket.deflates(),
            Self::Within(socket) => socket.deflates(),
            _ => false,
        }
    }

    /// Writes a Ping.
    pub(crate) fn ping<'p>(&mut self, payload: Control<'p>) -> Result<(), Full<Control<'p>>> {
        match self {
            Self::Socket(socket) => socket.ping(payload),
            Self::Within(socket) => socket.ping(payload),
            _ => Err(Full(payload)),
        }
    }

    /// True if the socket has a part of a message.
    pub(crate) fn has_piece(&mut self) -> bool {
        match self {
            Self::Socket(socket) => socket.ready_piece(),
            Self::Within(socket) => socket.ready_piece(),
            Self::Receiving(receiving) => receiving.ready_piece(),
            _ => false,
        }
    }

    /// The next part of a message of a socket.
    pub(crate) fn piece(&mut self) -> Option<Piece<'_>> {
        match self {
            Self::Socket(socket) => socket.piece(),
            Self::Within(socket) => socket.piece(),
            Self::Receiving(receiving) => receiving.piece(),
            _ => None,
        }
    }

    /// Sets the pace of received messages.
    pub(crate) fn set_message_pace(&mut self, pace: Pace) {
        match self {
            Self::Socket(socket) => socket.set_message_pace(pace),
            Self::Within(socket) => socket.set_message_pace(pace),
            _ => {}
        }
    }

    /// The bytes that a socket holds beside those that are unread or queued.
    pub(crate) fn held_bytes(&self) -> usize {
        match self {
            Self::Socket(socket) => socket.held_bytes(),
            Self::Within(socket) => socket.held_bytes(),
            Self::Receiving(receiving) => receiving.held_bytes(),
            _ => 0,
        }
    }
}
