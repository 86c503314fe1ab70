//! Receives owned messages, or borrowed events.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use endwell_core::Outbox;
use endwell_core::ws::{Control, Full, SessionEvent, Writing};

use super::halves::ReceiveHalf;
use super::message::{Content, Message};
use crate::wire::{Side, SocketState, Until, Wire};

/// Waits for the next message.
#[must_use = "futures do nothing unless polled"]
pub struct Receive<'a> {
    pub(super) half: &'a mut ReceiveHalf,
}

impl Future for Receive<'_> {
    type Output = Option<Message>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.half.link().lock().poll_message(cx)
    }
}

/// Passes each event to a closure, borrowed from the receive buffer.
#[must_use = "futures do nothing unless polled"]
pub struct ForEach<'a, F> {
    half: &'a mut ReceiveHalf,
    on_event: F,
    /// Replies may be queued above the high-water mark.
    replies: Replies,
}

/// The replies of the closure since the output was last below its high-water mark.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Replies {
    None,
    Some,
}

impl<'a, F> ForEach<'a, F> {
    pub(super) fn new(half: &'a mut ReceiveHalf, on_event: F) -> Self {
        Self { half, on_event, replies: Replies::None }
    }
}

/// Replies of a closure while the event is still borrowed.
pub struct Reply<'a> {
    writing: Writing<'a>,
    out: &'a mut Outbox,
}

impl Reply<'_> {
    /// Sends a text message.
    ///
    /// # Errors
    ///
    /// If it does not fit into the outbox now, or the peer has closed.
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
    /// Those of [`text`](Self::text).
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
    /// Those of [`text`](Self::text).
    pub fn ping<'p>(&mut self, payload: Control<'p>) -> Result<(), Full<Control<'p>>> {
        match &mut self.writing {
            Writing::Idle(sender) => sender.ping(payload, self.out),
            Writing::Streaming(_) | Writing::Closed => Err(Full(payload)),
        }
    }
}

/// Hands out what was read ahead as if it had just arrived.
fn hand_out(message: Message, wire: &mut Wire, on_event: &mut impl FnMut(SessionEvent<'_>, Reply<'_>)) {
    let Wire { socket, out, .. } = wire;
    let writing = match socket {
        SocketState::Open(session) => session.writing(),
        SocketState::None | SocketState::Closing(_) | SocketState::Over(_) => Writing::Closed,
    };
    let reply = Reply { writing, out };
    match message.content() {
        Content::Text(text) => on_event(SessionEvent::Text(text.into()), reply),
        Content::Binary(data) => on_event(SessionEvent::Binary((&mut data.to_vec()).into()), reply),
        Content::Ping(payload) => {
            on_event(SessionEvent::Ping(Control::new(payload).unwrap_or_default()), reply);
        }
        Content::Pong(payload) => {
            on_event(SessionEvent::Pong(Control::new(payload).unwrap_or_default()), reply);
        }
        Content::Close(close) => on_event(SessionEvent::Close(close.clone()), reply),
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
        let Self { half, on_event, replies } = self.get_mut();
        let mut wire = half.link().lock();
        loop {
            // Replies wait for room here. Output of other tasks does not hold this up.
            if *replies == Replies::Some && wire.out.is_above_high_water() {
                let _ = ready!(wire.poll_output(cx, Side::Reader, Until::Room(0)));
            }
            *replies = Replies::None;
            let queued;
            // The task that reads ahead wakes the tasks that wait for that, and no others.
            if wire.is_read_ahead() {
                let Some(message) = ready!(wire.poll_message(cx)) else { return Poll::Ready(()) };
                queued = wire.out.len();
                hand_out(message, &mut wire, on_event);
            } else {
                let Some(ready) = ready!(wire.poll_socket(cx)) else { return Poll::Ready(()) };
                let Wire { socket, out, .. } = &mut *wire;
                let SocketState::Open(session) = socket else { return Poll::Ready(()) };
                queued = out.len();
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
            if wire.out.len() > queued {
                *replies = Replies::Some;
            }
        }
    }
}
