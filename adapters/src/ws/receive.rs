//! Receiving: owned messages, or events that are lent.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use endwell_core::Outbox;
use endwell_core::ws::{Control, Full, SessionEvent, Writing};

use super::message::Message;
use super::socket::Socket;
use crate::wire::{SocketState, Wire};

/// Waits for the next message.
#[must_use = "futures do nothing unless polled"]
pub struct Receive<'a> {
    pub(super) socket: &'a mut Socket,
}

impl Future for Receive<'_> {
    type Output = Option<Message>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let mut wire = self.socket.link().lock();
        let Some(ready) = ready!(wire.poll_socket(cx)) else { return Poll::Ready(None) };
        let Wire { socket, out, .. } = &mut *wire;
        let SocketState::Open(session) = socket else { return Poll::Ready(None) };
        let message = match session.event(ready, out) {
            Ok(SessionEvent::Text(text)) => return Poll::Ready(Some(Message::received_text(text))),
            Ok(SessionEvent::Binary(data)) => return Poll::Ready(Some(Message::received_binary(data))),
            Ok(SessionEvent::Ping(payload)) => Some(Message::ping(payload)),
            Ok(SessionEvent::Pong(payload)) => Some(Message::pong(payload)),
            Ok(SessionEvent::Close(close)) => Some(Message::close(close)),
            // The peer is told why, and the end says it.
            Err(_) => None,
        };
        wire.write_now(cx);
        Poll::Ready(message)
    }
}

/// Hands each event to a closure, where it arrived.
#[must_use = "futures do nothing unless polled"]
pub struct ForEach<'a, F> {
    pub(super) socket: &'a mut Socket,
    pub(super) on_event: F,
}

/// What a closure can reply with while the event is still borrowed.
pub struct Reply<'a> {
    writing: Writing<'a>,
    out: &'a mut Outbox,
}

impl Reply<'_> {
    /// Sends a text message.
    ///
    /// # Errors
    ///
    /// It does not fit into what may be queued now, or the peer has closed.
    #[inline]
    pub fn text<'t>(&mut self, text: &'t str) -> Result<(), Full<&'t str>> {
        match &mut self.writing {
            Writing::Idle(sender) => sender.text(text, self.out),
            Writing::Streaming(_) | Writing::Closed => Err(Full(text)),
        }
    }

    /// Sends a binary message.
    ///
    /// # Errors
    ///
    /// As [`text`](Self::text).
    #[inline]
    pub fn binary<'d>(&mut self, data: &'d [u8]) -> Result<(), Full<&'d [u8]>> {
        match &mut self.writing {
            Writing::Idle(sender) => sender.binary(data, self.out),
            Writing::Streaming(_) | Writing::Closed => Err(Full(data)),
        }
    }

    /// Sends a ping.
    ///
    /// # Errors
    ///
    /// As [`text`](Self::text).
    pub fn ping<'p>(&mut self, payload: Control<'p>) -> Result<(), Full<Control<'p>>> {
        match &mut self.writing {
            Writing::Idle(sender) => sender.ping(payload, self.out),
            Writing::Streaming(_) | Writing::Closed => Err(Full(payload)),
        }
    }
}

impl fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}

impl<F: FnMut(SessionEvent<'_>, Reply<'_>) + Unpin> Future for ForEach<'_, F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { socket, on_event } = self.get_mut();
        let mut wire = socket.link().lock();
        loop {
            let Some(ready) = ready!(wire.poll_socket(cx)) else { return Poll::Ready(()) };
            let Wire { socket, out, .. } = &mut *wire;
            let SocketState::Open(session) = socket else { return Poll::Ready(()) };
            match session.lend(ready, out) {
                Ok((event @ (SessionEvent::Text(_) | SessionEvent::Binary(_)), writing)) => {
                    on_event(event, Reply { writing, out });
                }
                Ok((event, writing)) => {
                    on_event(event, Reply { writing, out });
                    wire.write_now(cx);
                }
                Err(_) => wire.write_now(cx),
            }
        }
    }
}
