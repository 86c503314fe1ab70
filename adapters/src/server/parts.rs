//! An exchange in three parts: what was asked, the body, and the right to respond.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use endwell_core::http::{Framing, Interim, RequestHead, Response};

use super::answered::Answered;
use super::exchange::{Exchange, Received, Right};
use crate::body::{RequestReader, ResponseWriter};
#[cfg(feature = "tower")]
use crate::connection::Link;
use crate::news::{Gone, HalfClosed};
#[cfg(feature = "tower")]
use crate::ws::{Acceptance, NotAHandshake, Socket};

/// The right to respond to a request, apart from its head and its body. Made by [`Exchange::into_parts`].
///
/// [`respond`](Self::respond) or [`start`](Self::start) ends it. For anything else, put the exchange together again. If it
/// is dropped instead, the connection's task responds in its place, as for an [`Exchange`].
#[must_use = "an exchange that is dropped is answered with 500"]
pub struct Responder(Right);

impl Exchange {
    /// Separates the head and the body from the right to respond, for example to give each to its own task.
    ///
    /// The body can be read before the response and after it. The next request waits until the body was read to its end
    /// or is dropped.
    ///
    /// ```no_run
    /// use endwell::{Answered, Exchange, http::StatusCode};
    ///
    /// async fn upload(exchange: Exchange) -> std::io::Result<Answered> {
    ///     let (head, mut body, responder) = exchange.into_parts();
    ///     let name = head.path().rsplit('/').next().unwrap_or_default();
    ///     let mut file = tokio::fs::File::create(format!("uploads/{name}")).await?;
    ///     let length = tokio::io::copy(&mut body, &mut file).await?;
    ///     Ok(responder.respond(StatusCode::CREATED, format!("{length} bytes")))
    /// }
    /// ```
    pub fn into_parts(self) -> (RequestHead, RequestReader, Responder) {
        let Self { request, right } = self;
        let Received { head, rest } = *request;
        right.link.lock().separate_body(right.number);
        (head, RequestReader::new(Arc::clone(&right.link), right.number, rest), Responder(right))
    }

    /// Puts an exchange together again. The head may be another one; handshakes and switches are judged by the one that
    /// was received.
    ///
    /// # Errors
    ///
    /// Returns the parts if the body and the right are not those of one exchange.
    pub fn from_parts(
        head: RequestHead,
        body: RequestReader,
        responder: Responder,
    ) -> Result<Self, (RequestHead, RequestReader, Responder)> {
        if !body.is_of(&responder.0.link, responder.0.number) {
            return Err((head, body, responder));
        }
        let request = Box::new(Received { head, rest: body.into_rest() });
        Ok(Self { request, right: responder.0 })
    }
}

impl Responder {
    /// Sends an interim response: see [`Exchange::interim`].
    pub fn interim(&mut self, head: &Interim) {
        self.0.link.lock().interim(self.0.number, head);
    }

    /// Waits until the connection has ended: see [`Exchange::gone`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn gone(&self) -> Gone<'_> {
        Gone::new(&self.0.link)
    }

    /// Waits until the client has ended its side of the stream: see [`Exchange::half_closed`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn half_closed(&self) -> HalfClosed<'_> {
        HalfClosed::new(&self.0.link)
    }

    /// Makes the response the last one of the connection.
    #[cfg(feature = "tower")]
    pub(crate) fn last(&mut self) {
        self.0.link.lock().make_last(self.0.number);
    }

    /// True if the body of the request was received to its end.
    #[cfg(feature = "http-body")]
    pub(crate) fn is_request_whole(&self) -> bool {
        self.0.link.lock().rest_of_body(self.0.number) == Some(0)
    }

    #[cfg(feature = "tower")]
    pub(crate) fn link(&self) -> &Link {
        &self.0.link
    }

    /// Turns the exchange into a WebSocket: see [`Exchange::accept`].
    #[cfg(feature = "tower")]
    pub(crate) fn accept(self, acceptance: Acceptance) -> Result<Socket, (NotAHandshake, Self)> {
        self.0.accept(acceptance).map_err(|(reason, right)| (reason, Self(right)))
    }

    /// Responds with a body that is available: see [`Exchange::respond`].
    pub fn respond(self, head: impl Into<Response>, body: impl Into<Bytes>) -> Answered {
        self.0.respond(&head.into(), body.into())
    }

    /// Responds with a body that is written in pieces: see [`Exchange::start`].
    pub fn start(self, head: impl Into<Response>, framing: Framing) -> ResponseWriter {
        let Self(mut right) = self;
        right.is_open = false;
        right.link.lock().start(&right.link, right.number, &head.into(), framing);
        ResponseWriter::new(Arc::clone(&right.link), right.number)
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder").finish_non_exhaustive()
    }
}
