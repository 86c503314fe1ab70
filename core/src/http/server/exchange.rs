//! A request, and the right to answer it.

use alloc::boxed::Box;

use bytes::Bytes;

use super::idle::ServerConnection;
use super::responder::Responder;
use super::{Inner, closing, reset};
use crate::http::body::{BodyReader, BodyWriter, Streaming};
use crate::http::received::persistence::Persistence;
use crate::http::{Date, FieldSection, Framing, Interim, Method, RequestHead, Response, StatusCode, Version};
use crate::io::Conn;
use crate::{Closing, Io, Outcome, Pace};

/// A request whose head has arrived, and a right: to answer it, or to write on.
///
/// `W` is the right. [`Unanswered`]: no final response was begun. [`Streaming`]: the body of the response is being
/// written. [`Answered`]: the response is complete, and nothing can be written.
///
/// In each of them the body of the request can be read.
#[derive(Debug)]
#[must_use = "an exchange that is dropped closes the connection without an answer"]
pub struct Exchange<W = Unanswered> {
    inner: Box<Inner>,
    right: W,
}

/// No final response was begun.
#[derive(Debug)]
pub struct Unanswered {
    responder: Responder,
    /// The head, if the request asks for another protocol.
    asks: Option<Box<RequestHead>>,
}

/// The response is complete.
#[derive(Debug)]
pub struct Answered(Persistence);

/// What a connection becomes after a response.
#[derive(Debug)]
#[must_use = "it holds the connection"]
pub enum After {
    /// The next request may come.
    Again(ServerConnection),
    /// The connection closes.
    Closing(Closing),
}

impl<W> Exchange<W> {
    /// The transport's side.
    pub fn io(&mut self) -> Io<'_> {
        Io::new(&mut self.inner.conn, &mut self.inner.between.body)
    }

    /// The body of the request.
    pub fn body(&mut self) -> BodyReader<'_> {
        BodyReader::new(&mut self.inner.conn.inbox, &mut self.inner.between.body)
    }

    /// Sets the pace that the client must keep with this body, instead of
    /// [`HttpLimits::request_pace`](crate::http::HttpLimits::request_pace), for example on one endpoint that takes slow or
    /// endless uploads.
    pub fn set_body_pace(&mut self, pace: Pace) {
        self.inner.between.body.set_pace(pace);
    }
}

impl Exchange {
    pub(super) fn new(inner: Box<Inner>, head: &RequestHead, expects: bool) -> Self {
        let asks = head.method() == Method::Connect || head.fields().get("upgrade").is_some();
        let asks = asks.then(|| Box::new(head.clone()));
        Self { inner, right: Unanswered { responder: Responder::new(head, expects), asks } }
    }

    /// True if the client waits for 100 Continue before it sends the body. RFC 9110 10.1.1.
    pub fn expects_continue(&self) -> bool {
        self.right.responder.expects_continue()
    }

    /// Sends 100 Continue to a client that waits for it, which asks it for the body. Other clients are sent nothing, and
    /// none is sent it twice.
    ///
    /// The final response is then held back until the client has reacted, for
    /// [`HttpLimits::continue_time`](crate::http::HttpLimits::continue_time) at the most, since some proxies lose a final response
    /// that they read together with the 100.
    pub fn proceed(&mut self) {
        self.right.responder.proceed(&mut self.inner.conn.outbox);
    }

    /// Sends an interim response before the final one. HTTP/1.0 has none, so nothing is sent to it (RFC 9110 15.2).
    pub fn interim(&mut self, head: &Interim) {
        self.right.responder.interim(head, &mut self.inner.conn.outbox);
    }

    /// Makes the response the last one of the connection. It announces the close.
    pub fn last(&mut self) {
        self.right.responder.last();
    }

    /// The status that a response with this head will have: 501 in the place of a success (2xx) to CONNECT.
    pub fn status_of(&self, head: &Response) -> StatusCode {
        self.right.responder.status_of(head)
    }

    /// True if a response with this head will have content: not if it answers HEAD, nor with 204, 205 or 304.
    pub fn has_response_content(&self, head: &Response) -> bool {
        self.right.responder.has_content(head)
    }

    /// Responds with a body that is available, and its length.
    ///
    /// Discards what has arrived of the request's body. The connection stays open if that is the rest of the body, or if
    /// the length of the rest is known and within [`HttpLimits::drain_bytes`]. Otherwise the response announces the close.
    /// It also does so if the client asked for the close, if the body has failed, and if the client still waits for 100
    /// Continue.
    ///
    /// Responses to HEAD, and 204, 205 and 304 responses, have no content. A response to HEAD announces the length of
    /// `body`.
    ///
    /// The body counts as queued. It is accepted at any size, since it was in memory before. A success (2xx) to CONNECT
    /// would open a tunnel, for which there is [`tunnel`](Self::tunnel); here it becomes 501.
    ///
    /// [`HttpLimits::drain_bytes`]: crate::http::HttpLimits::drain_bytes
    pub fn respond(self, head: &Response, body: Bytes, date: Option<&Date>) -> Exchange<Answered> {
        let Self { mut inner, right } = self;
        let Inner { conn, between } = &mut *inner;
        let (inbox, outbox) = (&mut conn.inbox, &mut conn.outbox);
        let persistence = right.responder.respond(head, body, date, inbox, &mut between.body, outbox);
        Exchange { inner, right: Answered(persistence) }
    }

    /// Responds with a body that is written in pieces, while the request may still be arriving.
    ///
    /// The connection stays open if it can. The body of the request may be read to its end, before the response is
    /// finished or after it.
    pub fn start(self, head: &Response, framing: Framing, date: Option<&Date>) -> Exchange<Streaming> {
        let Self { mut inner, right } = self;
        let Inner { conn, between } = &mut *inner;
        let takes_trailers = right.responder.takes_trailers();
        let (sending, persistence) =
            right.responder.start(head, framing, date, &conn.inbox, &between.body, &mut conn.outbox);
        Exchange { inner, right: Streaming::new(sending, takes_trailers, persistence) }
    }

    /// Leaves the request without a response: the client sees the end of the stream.
    pub fn abandon(self) -> Closing {
        closing(*self.inner, Outcome::Aborted)
    }

    /// The head of a request that asks for another protocol.
    pub(crate) fn asks(&self) -> Option<&RequestHead> {
        self.right.asks.as_deref()
    }

    /// True if the method of the request is GET.
    pub(crate) fn is_get(&self) -> bool {
        self.right.responder.is_get()
    }

    /// The version of the request.
    pub(crate) fn version(&self) -> Version {
        self.right.responder.version()
    }

    /// True if content of the request is still to come.
    pub(super) fn has_content_to_come(&self) -> bool {
        !self.inner.between.body.is_done(&self.inner.conn.inbox)
    }

    /// True if the request has content, received or not.
    pub(crate) fn has_content(&self) -> bool {
        self.inner.between.body.has_content()
    }

    pub(crate) fn into_conn(self) -> Conn {
        self.inner.conn
    }

    pub(super) fn into_inner(self) -> Inner {
        *self.inner
    }
}

impl Exchange<Streaming> {
    /// The body of the response.
    pub fn writer(&mut self) -> BodyWriter<'_> {
        self.right.writer(&mut self.inner.conn.outbox)
    }

    /// Both bodies at once: what is read can be written while it is still borrowed.
    pub fn split(&mut self) -> (BodyReader<'_>, BodyWriter<'_>) {
        let Inner { conn, between } = &mut *self.inner;
        let body = BodyReader::new(&mut conn.inbox, &mut between.body);
        (body, self.right.writer(&mut conn.outbox))
    }

    /// Ends the body. Trailers are sent in a chunked body whose request had `TE: trailers`, and omitted otherwise (RFC
    /// 9110 6.5.1).
    ///
    /// # Errors
    ///
    /// Returns the exchange, of which nothing more was written, if less was written than was announced.
    pub fn finish(mut self, trailers: Option<&FieldSection>) -> Result<Exchange<Answered>, Self> {
        if !self.right.finish(trailers, &mut self.inner.conn.outbox) {
            return Err(self);
        }
        Ok(Exchange { inner: self.inner, right: Answered(self.right.persistence) })
    }

    /// Cuts the body off, because its source has failed. No client can take the response for a complete one: if no byte
    /// is missing, or the client could not tell, the connection is reset.
    pub fn abort(self) -> Closing {
        if self.right.is_visibly_short() {
            closing(*self.inner, Outcome::Aborted)
        } else {
            reset(*self.inner)
        }
    }
}

impl Exchange<Answered> {
    /// Goes on to the next request, or closes.
    ///
    /// What was not read of the request's body is discarded as it arrives, up to
    /// [`HttpLimits::drain_bytes`](crate::http::HttpLimits::drain_bytes), framing included. A caller that wants the rest reads it
    /// first.
    pub fn next(self) -> After {
        let body = &self.inner.between.body;
        match self.right.0 {
            Persistence::Keep if !body.has_failed() => After::Again(ServerConnection::again(self.inner)),
            Persistence::Keep | Persistence::Close => After::Closing(closing(*self.inner, Outcome::ByUs)),
        }
    }

    /// True if the response announced the close, or the connection cannot go on after this request.
    pub fn is_last(&self) -> bool {
        self.right.0 == Persistence::Close || self.inner.between.body.has_failed()
    }
}
