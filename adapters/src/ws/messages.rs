//! A WebSocket as a stream and a sink of messages.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use endwell_core::ws::CloseCode;
use futures_core::{FusedStream, Stream};
use futures_sink::Sink;

use super::close::CloseSocket;
use super::message::Message;
use super::send::NotSent;
use super::socket::Socket;
use crate::Ended;

/// A WebSocket in the form that many libraries take: `futures::Stream` and `futures::Sink` of messages. Made by
/// [`Socket::into_messages`].
///
/// The traits move the right to write from the types to the run time: closing the sink ends it with 1000, and what is
/// sent after that is an error. If you control both sides, use [`Socket`], which proves more.
///
/// The stream ends when nothing more will come; [`ended`](Self::ended) or closing the sink returns how.
#[must_use = "messages that are dropped are closed with 1011"]
pub struct Messages {
    state: State,
    /// A message that was taken and had no room yet.
    waiting: Option<Message>,
}

enum State {
    Open(Socket),
    /// Nothing more will come.
    Drained(Socket),
    Closing(CloseSocket),
    Ended(Ended),
}

impl Messages {
    pub(super) fn new(socket: Socket) -> Self {
        Self { state: State::Open(socket), waiting: None }
    }

    /// Returns the socket, unless the sink was closed, and the message that had no room yet.
    pub fn into_socket(self) -> (Option<Socket>, Option<Message>) {
        match self.state {
            State::Open(socket) | State::Drained(socket) => (Some(socket), self.waiting),
            State::Closing(_) | State::Ended(_) => (None, self.waiting),
        }
    }

    /// How the connection ended, once closing the sink has seen it.
    pub fn ended(&self) -> Option<&Ended> {
        match &self.state {
            State::Ended(ended) => Some(ended),
            State::Open(_) | State::Drained(_) | State::Closing(_) => None,
        }
    }

    /// Queues the message that waits for room.
    fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        if self.waiting.is_none() {
            return Poll::Ready(Ok(()));
        }
        let Self { state: State::Open(socket) | State::Drained(socket), waiting } = self else {
            return Poll::Ready(Err(self.over()));
        };
        match ready!(socket.send_half().poll_send(cx, waiting)) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(NotSent { message, ended }) => {
                *waiting = Some(message);
                Poll::Ready(Err(ended.unwrap_or(Ended::ANNOUNCED)))
            }
        }
    }

    fn over(&self) -> Ended {
        self.ended().cloned().unwrap_or(Ended::ANNOUNCED)
    }
}

impl Stream for Messages {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let Self { state, .. } = self.get_mut();
        let State::Open(socket) = state else { return Poll::Ready(None) };
        let received = ready!(Pin::new(&mut socket.receive()).poll(cx));
        if received.is_none() {
            *state = match mem::replace(state, State::Ended(Ended::ABORTED)) {
                State::Open(socket) => State::Drained(socket),
                other @ (State::Drained(_) | State::Closing(_) | State::Ended(_)) => other,
            };
        }
        Poll::Ready(received)
    }
}

impl FusedStream for Messages {
    fn is_terminated(&self) -> bool {
        !matches!(self.state, State::Open(_))
    }
}

/// Errors state how the connection ended; [`EndedKind::Announced`](crate::EndedKind::Announced) while it is closing.
impl Sink<Message> for Messages {
    type Error = Ended;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        let this = self.get_mut();
        ready!(this.poll_waiting(cx))?;
        match &mut this.state {
            State::Open(socket) | State::Drained(socket) => socket.send_half().poll_room(cx),
            State::Closing(_) | State::Ended(_) => Poll::Ready(Err(this.over())),
        }
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Ended> {
        let this = self.get_mut();
        // Queued when the sink is polled next: only then is there a task to wake if it has no room.
        match this.state {
            State::Open(_) | State::Drained(_) => {
                this.waiting = Some(message);
                Ok(())
            }
            State::Closing(_) | State::Ended(_) => Err(this.over()),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        let this = self.get_mut();
        ready!(this.poll_waiting(cx))?;
        match &mut this.state {
            State::Open(socket) | State::Drained(socket) => Pin::new(&mut socket.flush()).poll(cx),
            State::Closing(_) | State::Ended(_) => Poll::Ready(Err(this.over())),
        }
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        let this = self.get_mut();
        // If it is no longer possible, the end states why.
        let _ = ready!(this.poll_waiting(cx));
        this.state = match mem::replace(&mut this.state, State::Ended(Ended::ABORTED)) {
            State::Open(socket) | State::Drained(socket) => State::Closing(socket.close(CloseCode::NORMAL)),
            other @ (State::Closing(_) | State::Ended(_)) => other,
        };
        if let State::Closing(close) = &mut this.state {
            this.state = State::Ended(ready!(Pin::new(close).poll(cx)));
        }
        match &this.state {
            State::Ended(ended)
                if matches!(ended.web_socket(), Some(endwell_core::Outcome::Closed { .. })) =>
            {
                Poll::Ready(Ok(()))
            }
            State::Ended(_) | State::Open(_) | State::Drained(_) | State::Closing(_) => {
                Poll::Ready(Err(this.over()))
            }
        }
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").field("waiting", &self.waiting).finish_non_exhaustive()
    }
}
