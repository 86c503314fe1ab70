//! Receives owned messages, or borrowed events.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use endwell_core::ws::{Control, Full};
use endwell_core::ws::{Event, Idle, Writer};

use super::halves::ReceiveHalf;
use super::message::Message;
use crate::MessageCounts;
use crate::connection::{Connection, Lent, Side, State, Until};

/// Waits for the next message: [`Socket::receive`](super::Socket::receive).
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

/// Waits for the next text or binary message: [`Socket::receive_data`](super::Socket::receive_data).
#[must_use = "futures do nothing unless polled"]
pub struct ReceiveData<'a> {
    pub(super) half: &'a mut ReceiveHalf,
}

impl Future for ReceiveData<'_> {
    type Output = Option<Message>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let mut connection = self.half.link().lock();
        loop {
            match ready!(connection.poll_message(cx)) {
                Some(message) if !message.is_data() => {}
                data_or_end => return Poll::Ready(data_or_end),
            }
        }
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

/// The right to reply to an event while it is still borrowed, in [`Socket::for_each`](super::Socket::for_each).
pub struct Reply<'a> {
    writer: Option<Writer<'a, Idle>>,
    /// The messages, if they are counted.
    counts: Option<&'a mut MessageCounts>,
    replies: &'a mut Replies,
}

impl Reply<'_> {
    /// Sends a text message.
    ///
    /// # Errors
    ///
    /// If it does not fit into the outbox now, the peer has closed, or a message in pieces is being sent.
    #[inline]
    pub fn text<'t>(&mut self, text: &'t str) -> Result<(), Full<&'t str>> {
        match &mut self.writer {
            Some(writer) => writer.text(text).inspect(|()| sent(&mut self.counts, self.replies)),
            None => Err(Full(text)),
        }
    }

    /// Sends a binary message.
    ///
    /// # Errors
    ///
    /// Those of [`text`](Self::text).
    #[inline]
    pub fn binary<'d>(&mut self, data: &'d [u8]) -> Result<(), Full<&'d [u8]>> {
        match &mut self.writer {
            Some(writer) => writer.binary(data).inspect(|()| sent(&mut self.counts, self.replies)),
            None => Err(Full(data)),
        }
    }

    /// Sends a ping.
    ///
    /// # Errors
    ///
    /// Those of [`text`](Self::text).
    pub fn ping<'p>(&mut self, payload: Control<'p>) -> Result<(), Full<Control<'p>>> {
        match &mut self.writer {
            Some(writer) => writer.ping(payload).inspect(|()| *self.replies = Replies::Some),
            None => Err(Full(payload)),
        }
    }
}

/// Counts a message that was sent as a reply.
#[inline]
fn sent(counts: &mut Option<&mut MessageCounts>, replies: &mut Replies) {
    *replies = Replies::Some;
    if let Some(counts) = counts {
        counts.sent += 1;
    }
}

/// What an event leaves to do.
enum Then {
    /// More events may follow.
    Continue,
    /// An answer goes out first.
    Write,
    /// Nothing more comes.
    Close,
}

/// Hands out an event.
fn hand_out(event: Event<'_>, mut reply: Reply<'_>, on_event: &mut impl FnMut(Event<'_>, Reply<'_>)) -> Then {
    match event {
        Event::Failed(_) => Then::Close,
        Event::Close(_) => {
            on_event(event, Reply { writer: None, counts: None, ..reply });
            Then::Close
        }
        Event::Ping(_) | Event::Pong(_) => {
            on_event(event, reply);
            Then::Write
        }
        Event::Text(_) | Event::Binary(_) => {
            if let Some(counts) = &mut reply.counts {
                counts.received += 1;
            }
            on_event(event, reply);
            Then::Continue
        }
    }
}

impl fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}

impl<F: FnMut(Event<'_>, Reply<'_>) + Unpin> Future for ForEach<'_, F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { half, on_event, replies } = self.get_mut();
        let mut connection = half.link().lock();
        let _lent = Lent::new(half.link());
        loop {
            // Replies wait for room here. Output of other tasks does not hold this up.
            if *replies == Replies::Some && connection.is_above_high_water() {
                let _ = ready!(connection.poll_output(cx, Side::Reader, Until::Room(0)));
            }
            *replies = Replies::None;
            // Mostly an event is there, and one look finds and takes it.
            let goes_on = connection.may_go_on();
            if !goes_on && !ready!(connection.poll_ready(cx, State::has_event)) {
                return Poll::Ready(());
            }
            let Connection { state, observed, .. } = &mut *connection;
            let Some((event, writer)) = state.lend() else { return Poll::Ready(()) };
            let Some(event) = event else {
                if goes_on && !ready!(connection.poll_ready(cx, State::has_event)) {
                    return Poll::Ready(());
                }
                continue;
            };
            match hand_out(event, Reply { writer, counts: observed.messages(), replies }, on_event) {
                Then::Continue => {}
                Then::Write => connection.leave_to_driver(),
                Then::Close => connection.answer_close(),
            }
            if goes_on {
                connection.took_event();
            }
        }
    }
}
