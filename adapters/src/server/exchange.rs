//! A request on a real connection, and the right to respond to it.

use std::any::Any;
#[cfg(feature = "percent-encoding")]
use std::borrow::Cow;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
#[cfg(feature = "percent-encoding")]
use std::str::Utf8Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use endwell_core::http::server::{self, NotSwitched};
use endwell_core::http::{
    Date, FieldSection, Fields, Framing, Interim, Method, RequestHead, Response, StatusCode,
};
use endwell_core::{Pace, Upgraded as Raw};

use super::answered::Answered;
use super::request_id::RequestId;
use super::respond::SWITCHING_PROTOCOLS;
use crate::body::{ReadAll, ReadRequest, RequestReader, ResponseWriter};
use crate::config::OnGone;
use crate::connection::{Link, Shared};
use crate::info::Address;
use crate::news::{Gone, HalfClosed};
use crate::upgraded::Upgraded;
use crate::ws::{Acceptance, Jitter, NotAHandshake, Socket};

/// A request, and the right to respond to it: the core's [`Exchange`](server::Exchange) on a real connection.
///
/// Exactly one of [`respond`](Self::respond), [`start`](Self::start), [`switch`](Self::switch) and
/// [`tunnel`](Self::tunnel) ends it, and each consumes it. If it is dropped instead, also by a panic, the connection's
/// task responds in its place: with 500, or with the status for the error that reading met (400, 408, 413, 431). The
/// connection closes after that. A handler that drops it and returns an error is answered for as
/// [`IntoAnswered`](crate::IntoAnswered) says, and the connection goes on.
///
/// ```no_run
/// # async fn f(listener: tokio::net::TcpListener) {
/// use endwell::{ServerConfig, Exchange, serve};
/// use endwell::http::StatusCode;
///
/// serve(listener, ServerConfig::default(), async |mut exchange: Exchange| {
///     let body = exchange.read_all(1 << 20).await?;
///     Ok::<_, endwell::Ended>(exchange.respond(StatusCode::OK, body))
/// })
/// .await;
/// # }
/// ```
///
/// Responding twice does not compile:
///
/// ```compile_fail,E0382
/// # use endwell::{Exchange, http::StatusCode};
/// # fn f(exchange: Exchange) {
/// let answered = exchange.respond(StatusCode::OK, "one");
/// let answered = exchange.respond(StatusCode::OK, "two");
/// # }
/// ```
#[must_use = "an exchange that is dropped is answered with 500"]
pub struct Exchange {
    pub(super) request: Box<Received>,
    pub(super) right: Right,
}

/// What was received of a request. Boxed: handlers hold and move their exchange.
pub(super) struct Received {
    pub(super) head: RequestHead,
    /// The rest of a piece of the body that was read in part.
    pub(super) rest: Bytes,
}

/// The right to respond, wherever it is. If it is dropped, it returns to the connection's task.
pub(super) struct Right {
    pub(super) link: Arc<Link>,
    pub(super) number: u64,
    /// Nothing has used it up.
    pub(super) is_open: bool,
}

impl Drop for Right {
    fn drop(&mut self) {
        if self.is_open {
            self.link.lock().drop_exchange(self.number);
        }
    }
}

impl Right {
    /// Responds with a body that is available.
    pub(super) fn respond(mut self, head: &Response, body: Bytes) -> Answered {
        self.is_open = false;
        self.link.lock().respond(&self.link, self.number, head, body);
        Answered::new()
    }

    /// Turns the exchange into a WebSocket.
    pub(super) fn accept(mut self, acceptance: Acceptance) -> Result<Socket, (NotAHandshake, Self)> {
        let accepted = self.link.lock().accept(self.number, acceptance);
        match accepted {
            Ok(subprotocol) => {
                self.is_open = false;
                Ok(Socket::new(Arc::clone(&self.link), subprotocol))
            }
            Err(reason) => Err((reason, self)),
        }
    }
}

impl Exchange {
    pub(crate) fn new(link: Arc<Link>, number: u64, head: RequestHead) -> Self {
        let request = Box::new(Received { head, rest: Bytes::new() });
        Self { request, right: Right { link, number, is_open: true } }
    }

    /// The connection of this exchange.
    #[cfg(feature = "blocking")]
    pub(crate) fn link(&self) -> &Arc<Link> {
        &self.right.link
    }

    /// The head of the request.
    pub fn head(&self) -> &RequestHead {
        &self.request.head
    }

    /// The name of the exchange: unique in this process, for logs.
    pub fn id(&self) -> RequestId {
        RequestId::new(&self.right.link, self.right.number)
    }

    /// The method.
    pub fn method(&self) -> Method<'_> {
        self.request.head.method()
    }

    /// The path of the target as it was sent: percent escapes are not decoded.
    pub fn path(&self) -> &str {
        self.request.head.path()
    }

    /// The query of the target as it was sent, if there is one.
    pub fn query(&self) -> Option<&str> {
        self.request.head.query()
    }

    /// The segments of the path, between its slashes, decoded. Each is an error instead if it is not UTF-8.
    ///
    /// A segment may hold a slash, and it may be `..`: check it before it becomes a part of a file's name.
    #[cfg(feature = "percent-encoding")]
    pub fn path_segments(&self) -> impl Iterator<Item = Result<Cow<'_, str>, Utf8Error>> {
        self.request.head.path_segments()
    }

    /// The names and values of the query, decoded, as HTML forms and browsers write them.
    ///
    /// ```no_run
    /// use endwell::{Answered, Exchange, http::StatusCode};
    ///
    /// async fn search(exchange: Exchange) -> Answered {
    ///     let wanted = exchange.query_pairs().find(|(name, _)| name == "q").map(|(_, value)| value.into_owned());
    ///     exchange.respond(StatusCode::OK, wanted.unwrap_or_default())
    /// }
    /// ```
    #[cfg(feature = "percent-encoding")]
    pub fn query_pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        self.request.head.query_pairs()
    }

    /// The whole target as it was sent.
    pub fn target(&self) -> &str {
        self.request.head.target_str()
    }

    /// The fields of the head.
    pub fn fields(&self) -> &Fields {
        self.request.head.fields()
    }

    /// The fields after a chunked body, once it was read to its end. They are never merged into the head's.
    pub fn trailers(&self) -> Option<Fields> {
        self.right.link.lock().request_trailers(self.right.number)
    }

    /// The address of the other side.
    pub fn peer_address(&self) -> &Address {
        &self.right.link.info.peer
    }

    /// The address of this side.
    pub fn local_address(&self) -> &Address {
        &self.right.link.info.local
    }

    /// The fact of type `T` that a layer of the connection knows, such as `tls::TlsInfo`. `None` if none does.
    pub fn info<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.right.link.info.get()
    }

    /// True if the connection uses TLS.
    pub fn is_secure(&self) -> bool {
        self.right.link.info.is_secure
    }

    /// Reads the next piece of the body; `None` at its end. Sends 100 Continue first, if the client waits for it.
    ///
    /// # Errors
    ///
    /// The peer broke the protocol, ended the stream within the body, or met a limit; or the connection has ended. The
    /// exchange can still be answered.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a piece that was not returned is returned by the next call.
    pub fn read(&mut self) -> ReadRequest<'_> {
        ReadRequest::new(&self.right.link, self.right.number, &mut self.request.rest)
    }

    /// Reads the rest of the body, which may be at most `limit` bytes. A body that is announced to be larger fails at
    /// once, without a 100 Continue.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read), or the body is larger than `limit`. The exchange can still be answered; dropping
    /// it responds with 413.
    ///
    /// # Cancel safety
    ///
    /// **Not** cancel safe: the bytes read so far are in the future.
    pub fn read_all(&mut self, limit: usize) -> ReadAll<ReadRequest<'_>> {
        ReadAll::new(self.read(), limit)
    }

    /// Sets the pace that the client must keep with the body of this request, instead of
    /// [`HttpLimits::request_pace`](endwell_core::http::HttpLimits::request_pace), for example on one endpoint that takes slow
    /// or endless uploads.
    pub fn set_body_pace(&mut self, pace: Pace) {
        self.right.link.lock().set_request_pace(self.right.number, pace);
    }

    /// Sets the pace at which the client must take the response, instead of
    /// [`OutboxLimits::pace`](endwell_core::OutboxLimits::pace), until the next request, for example on one endpoint
    /// with large downloads or for clients that sleep.
    pub fn set_output_pace(&mut self, pace: Pace) {
        self.right.link.lock().set_response_pace(self.right.number, pace);
    }

    /// Sends an interim response, such as 103 Early Hints. HTTP/1.0 has none, so nothing is sent to it.
    pub fn interim(&mut self, head: &Interim) {
        self.right.link.lock().interim(self.right.number, head);
    }

    /// Waits until the connection has ended, so that long work can stop.
    ///
    /// A client that has only ended its own side is not gone, and still gets its response, until
    /// [`ServerConfig::half_closed`](crate::ServerConfig::half_closed) is over. A reset is only noticed by reading, so up to
    /// [`HttpLimits::received_bytes`] are read and kept meanwhile. If the peer sends more than that, a reset is noticed only
    /// when the response is written.
    ///
    /// Most handlers need not wait for it: after the end the handler is [dropped](OnGone::Cancel).
    ///
    /// [`HttpLimits::received_bytes`]: endwell_core::http::HttpLimits::received_bytes
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn gone(&self) -> Gone<'_> {
        Gone::new(&self.right.link)
    }

    /// Waits until the client has ended its side of the stream, or the connection has ended. Most clients that do so
    /// have left, as a browser does whose tab is closed; few still wait for the response.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn half_closed(&self) -> HalfClosed<'_> {
        HalfClosed::new(&self.right.link)
    }

    /// Sets what becomes of the handler when the connection has ended, instead of
    /// [`ServerConfig::on_gone`](crate::ServerConfig::on_gone).
    pub fn set_on_gone(&mut self, on_gone: OnGone) {
        self.right.link.lock().set_on_gone(self.right.number, on_gone);
    }

    /// Sets the time that the handler has from now on, instead of
    /// [`ServerConfig::handler_time`](crate::ServerConfig::handler_time). `None`: without an end.
    pub fn set_handler_time(&mut self, time: Option<Duration>) {
        self.right.link.lock().set_handler_time(self.right.number, time);
    }

    /// Responds with a body that is available.
    ///
    /// This does not wait: the connection's task writes the response before it waits for anything. `Content-Length`,
    /// `Date` and the fields about the connection are added. The unread rest of the request's body is discarded. The
    /// connection stays open if that rest has arrived, or if its length is known and within
    /// [`HttpLimits::drain_bytes`](endwell_core::http::HttpLimits::drain_bytes); otherwise the response announces the close.
    ///
    /// It uses the exchange up, so make a body from the exchange before:
    ///
    /// ```
    /// use endwell::{Answered, Exchange, http::StatusCode};
    ///
    /// async fn hello(exchange: Exchange) -> Answered {
    ///     let text = format!("hello {}", exchange.peer_address());
    ///     exchange.respond(StatusCode::OK, text)
    /// }
    /// ```
    pub fn respond(self, head: impl Into<Response>, body: impl Into<Bytes>) -> Answered {
        self.right.respond(&head.into(), body.into())
    }

    /// Responds with a body that is written in pieces, while the body of the request may still be read.
    ///
    /// Sends 100 Continue if the client waits for it. The head is then sent once the body begins to arrive, or
    /// [`HttpLimits::continue_time`](endwell_core::http::HttpLimits::continue_time) is over. While a piece of the response
    /// waits to be written, reading continues, up to
    /// [`HttpLimits::received_bytes`](endwell_core::http::HttpLimits::received_bytes).
    pub fn start(self, head: impl Into<Response>, framing: Framing) -> (RequestReader, ResponseWriter) {
        let (_, body, responder) = self.into_parts();
        (body, responder.start(head, framing))
    }

    /// Switches the connection to `protocol`, one of those that the request offers to upgrade to. Responds with 101.
    ///
    /// The handler returns the [`Answered`]. The stream can be used for as long as needed, also in another task.
    /// Dropping it closes the connection.
    ///
    /// # Errors
    ///
    /// Returns the exchange, to be answered, with the reason.
    pub fn switch(
        self,
        protocol: &str,
        fields: &FieldSection,
    ) -> Result<(Upgraded, Answered), (NotSwitched, Box<Self>)> {
        self.release(SWITCHING_PROTOCOLS, |exchange, date| exchange.switch(protocol, fields, date))
    }

    /// Opens the tunnel that a CONNECT asks for. Responds with 200. Otherwise like [`switch`](Self::switch).
    ///
    /// # Errors
    ///
    /// Returns the exchange, to be answered, with the reason.
    pub fn tunnel(self, fields: &FieldSection) -> Result<(Upgraded, Answered), (NotSwitched, Box<Self>)> {
        let ok = StatusCode::OK.as_u16();
        self.release(ok, |exchange, date| exchange.tunnel(fields, date))
    }

    /// The default terms for [`accept`](Self::accept), with the limits of [`ServerConfig::ws`](crate::ServerConfig::ws): only pages
    /// of the same Origin, no subprotocol. With feature `deflate`, `ServerConfig::deflate` applies too.
    pub fn acceptance(&self) -> Acceptance {
        acceptance(&self.right.link.shared)
    }

    /// Turns the exchange into a WebSocket. Responds with 101. RFC 6455 4.2.
    ///
    /// # Errors
    ///
    /// Returns the exchange, to be answered, with the reason; [`NotAHandshake::head`] is the head to respond with.
    pub fn accept(self, acceptance: Acceptance) -> Result<Socket, (NotAHandshake, Box<Self>)> {
        let Self { request, right } = self;
        right.accept(acceptance).map_err(|(reason, right)| (reason, Self { request, right }.into()))
    }

    fn release(
        self,
        status: u16,
        switch: impl FnOnce(server::Exchange, Option<&Date>) -> Result<Raw, (NotSwitched, server::Exchange)>,
    ) -> Result<(Upgraded, Answered), (NotSwitched, Box<Self>)> {
        let Self { request, mut right } = self;
        let released = right.link.lock().release(right.number, status, switch);
        match released {
            Ok(()) => {
                right.is_open = false;
                Ok((Upgraded::new(Arc::clone(&right.link)), Answered::new()))
            }
            Err(reason) => Err((reason, Self { request, right }.into())),
        }
    }
}

/// The default terms of a server's WebSockets.
pub(crate) fn acceptance(shared: &Shared) -> Acceptance {
    let acceptance = Acceptance::new(Arc::clone(&shared.settings.ws_limits)).jitter(jitter());
    #[cfg(feature = "deflate")]
    let acceptance = acceptance.deflate(shared.settings.deflate.clone());
    acceptance
}

/// Returns an evenly spread number. It need not be unpredictable.
pub(crate) fn jitter() -> Jitter {
    let number = RandomState::new().hash_one(0_u8);
    Jitter(u32::try_from(number >> 32).unwrap_or(0))
}

impl fmt::Debug for Exchange {
    /// Hides the values of fields that carry credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("head", &self.request.head).finish_non_exhaustive()
    }
}
