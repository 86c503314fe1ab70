//! The body of a message: read by one view and written by another, in both roles alike.

use bytes::Bytes;

use super::received::persistence::Persistence;
use super::{FieldSection, Fields};
use crate::http::received::body::{Found, Incoming};
use crate::http::sent::body::{NotWritten, Sending};
use crate::io::{Ask, Conn, Waits};
use crate::{Deadline, Error, Inbox, Instant, Outbox, Payload};

/// A body that is being received, lent by its exchange or its call.
#[derive(Debug)]
pub struct BodyReader<'a> {
    inbox: &'a mut Inbox,
    incoming: &'a mut Incoming,
}

/// A part of a body that is received.
#[derive(Debug)]
pub enum BodyEvent<'a> {
    /// Content, in the receive buffer.
    Data(Payload<'a>),
    /// The trailer section, if there was one. It is never merged into the head (RFC 9110 6.5.1).
    Trailers(&'a Fields),
    /// The end. Asking again returns it again.
    End,
    /// The peer broke the protocol, ended the stream within the body, or met a limit. For a body that was cut off, the
    /// error reports how much came of how much was announced. Asking again returns it again.
    Failed(&'a Error),
}

impl<'a> BodyReader<'a> {
    pub(crate) fn new(inbox: &'a mut Inbox, incoming: &'a mut Incoming) -> Self {
        Self { inbox, incoming }
    }

    /// True if a part has arrived. Consumes nothing.
    pub fn ready(&mut self) -> bool {
        self.incoming.is_ready(self.inbox)
    }

    /// Takes the next part. `None` if it has not arrived.
    pub fn event(self) -> Option<BodyEvent<'a>> {
        Some(match self.incoming.take(self.inbox)? {
            Found::Data(len) => BodyEvent::Data(self.inbox.payload(len)),
            Found::Trailers(fields) => BodyEvent::Trailers(fields),
            Found::End => BodyEvent::End,
            Found::Failed(error) => BodyEvent::Failed(error),
        })
    }

    /// The bytes of content still to come, if known.
    pub fn remaining(&self) -> Option<u64> {
        self.incoming.remaining(self.inbox)
    }

    /// The bytes of content that were taken or discarded so far.
    pub fn received(&self) -> u64 {
        self.incoming.received()
    }

    /// True if the body was received to its end.
    pub fn is_done(&self) -> bool {
        self.incoming.is_done(self.inbox)
    }
}

impl Waits for Incoming {
    fn found_nothing(&mut self, conn: &mut Conn, now: Instant, _: Ask<'_>) -> bool {
        // What was ready before is no news.
        let had_failed = self.has_failed();
        if self.is_ready(&mut conn.inbox) {
            // The application has not taken what is there, so it does not wait for more.
            self.pause(&mut conn.inbox, now);
        }
        self.has_failed() && !had_failed
    }

    fn pause(&mut self, conn: &mut Conn, now: Instant) {
        self.pause(&mut conn.inbox, now);
    }

    fn deadline(&self, _: &Conn) -> Option<Deadline> {
        self.deadline()
    }
}

/// The right to write the body of a message.
#[derive(Debug)]
pub struct Streaming {
    sending: Sending,
    takes_trailers: bool,
    /// What the head of the message announced.
    pub(super) persistence: Persistence,
}

/// The writing side of a message, lent by its exchange or its call.
#[derive(Debug)]
pub struct BodyWriter<'a> {
    outbox: &'a mut Outbox,
    sending: &'a mut Sending,
}

impl Streaming {
    pub(super) fn new(sending: Sending, takes_trailers: bool, persistence: Persistence) -> Self {
        Self { sending, takes_trailers, persistence }
    }

    pub(crate) fn writer<'a>(&'a mut self, outbox: &'a mut Outbox) -> BodyWriter<'a> {
        BodyWriter { outbox, sending: &mut self.sending }
    }

    /// Writes the end of the body. False, and nothing is written, if less was written than was announced.
    pub(crate) fn finish(&self, trailers: Option<&FieldSection>, outbox: &mut Outbox) -> bool {
        self.sending.finish(trailers.filter(|_| self.takes_trailers), outbox).is_ok()
    }

    /// True if the peer can tell from what was written so far that data is missing.
    pub(crate) fn is_visibly_short(&self) -> bool {
        match self.sending {
            Sending::UntilClose | Sending::NoContent | Sending::Length { remaining: 0 } => false,
            Sending::Length { .. } | Sending::Chunked => true,
        }
    }
}

impl BodyWriter<'_> {
    /// The number of bytes that can be written now.
    pub fn room(&self) -> usize {
        self.sending.room(self.outbox)
    }

    /// The number of bytes still to be written, if a length was announced.
    pub fn remaining(&self) -> Option<u64> {
        self.sending.remaining()
    }

    /// Writes a piece. An empty piece writes nothing, so it cannot end a body.
    ///
    /// # Errors
    ///
    /// Returns the data, of which nothing was written, if it exceeds the announced length or [`room`](Self::room).
    pub fn write(&mut self, data: Bytes) -> Result<(), NotWritten> {
        self.sending.write(data, self.outbox)
    }

    /// Writes as much of `data` as fits now, from its start, and returns how much that was.
    pub fn copy(&mut self, data: &[u8]) -> usize {
        let fits = self.remaining().map_or(usize::MAX, crate::convert::usize_from).min(self.room());
        let part = data.get(..fits).unwrap_or(data);
        self.sending.copy(part, self.outbox);
        part.len()
    }
}
