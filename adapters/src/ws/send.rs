//! Sends a whole message.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::halves::SendHalf;
use super::message::Message;
use crate::Ended;
use crate::connection::{Connection, Side, State, Until};

/// Waits for room, then queues the message: [`Socket::send`](super::Socket::send).
#[must_use = "futures do nothing unless polled"]
pub struct SendMessage<'a> {
    pub(super) half: &'a mut SendHalf,
    pub(super) message: Option<Message>,
}

impl SendMessage<'_> {
    /// The message, if it was not queued.
    pub fn into_message(self) -> Option<Message> {
        self.message
    }
}

/// A message that was not sent, and why.
#[derive(Debug)]
pub struct NotSent {
    /// The message, of which nothing was written.
    pub message: Message,
    /// How the connection ended. `None` if it is closing, by the peer or by this side.
    pub ended: Option<Ended>,
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.ended {
            Some(ended) => write!(f, "the message was not sent: {ended}"),
            None => f.write_str("the message was not sent: the connection is closing"),
        }
    }
}

impl std::error::Error for NotSent {}

impl From<NotSent> for Ended {
    fn from(error: NotSent) -> Self {
        error.ended.unwrap_or(Self::ANNOUNCED)
    }
}

impl Future for SendMessage<'_> {
    type Output = Result<(), NotSent>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { half, message } = self.get_mut();
        half.poll_send(cx, message)
    }
}

impl SendHalf {
    /// Queues the message in `waiting`, once it fits.
    #[inline]
    pub(super) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        waiting: &mut Option<Message>,
    ) -> Poll<Result<(), NotSent>> {
        let mut connection = self.link().lock();
        loop {
            let Some(message) = waiting.take() else { return Poll::Ready(Ok(())) };
            let len = message.len();
            // A promise is for the next message, whether that message needs it or not.
            let claimed = connection.claims_room_for(len);
            if !claimed && !connection.has_room_for(len) {
                *waiting = Some(message);
                ready!(wait_for_room(&mut connection, cx, len, waiting))?;
                continue;
            }
            let State::Socket(socket) = &mut connection.state else {
                return Poll::Ready(Err(connection.not_sent(message)));
            };
            match message.write(&mut socket.writer()) {
                Ok(()) => {
                    connection.observed.sent_message();
                    connection.leave_to_driver();
                    return Poll::Ready(Ok(()));
                }
                Err(message) => *waiting = Some(message),
            }
        }
    }

    /// Waits until there is some room.
    #[cfg(feature = "futures")]
    pub(super) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        let mut connection = self.link().lock();
        if connection.state.is_socket() {
            return connection.poll_output(cx, Side::Writer, Until::Room(0));
        }
        Poll::Ready(Err(connection.how_it_ends()))
    }

    /// Queues as much of `data` as there is room for, up to `most` bytes, as a binary message, and returns how much.
    /// The error is how the connection ended, if it has.
    pub(super) fn poll_write_binary(
        &mut self,
        cx: &mut Context<'_>,
        data: &[u8],
        most: usize,
    ) -> Poll<Result<usize, Option<Ended>>> {
        let mut connection = self.link().lock();
        loop {
            if !connection.state.is_socket() {
                return Poll::Ready(Err(connection.ended().cloned()));
            }
            ready!(connection.poll_output(cx, Side::Writer, Until::Room(1))).map_err(Some)?;
            let room = connection.room();
            let State::Socket(socket) = &mut connection.state else { return Poll::Ready(Err(None)) };
            let piece = data.get(..data.len().min(most).min(room)).unwrap_or_default();
            if socket.writer().binary(piece).is_ok() {
                let len = piece.len();
                connection.observed.sent_message();
                connection.leave_to_driver();
                return Poll::Ready(Ok(len));
            }
        }
    }
}

/// Waits until a message of `len` bytes fits, as long as there is a socket to send it over.
#[cold]
fn wait_for_room(
    connection: &mut Connection,
    cx: &mut Context<'_>,
    len: usize,
    waiting: &mut Option<Message>,
) -> Poll<Result<(), NotSent>> {
    if connection.state.is_socket()
        && ready!(connection.poll_output(cx, Side::Writer, Until::Fits(len))).is_ok()
    {
        return Poll::Ready(Ok(()));
    }
    Poll::Ready(waiting.take().map_or(Ok(()), |message| Err(connection.not_sent(message))))
}

impl Connection {
    #[cold]
    fn not_sent(&self, message: Message) -> NotSent {
        NotSent { message, ended: self.ended().cloned() }
    }
}

impl fmt::Debug for SendMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendMessage").field("message", &self.message).finish_non_exhaustive()
    }
}
