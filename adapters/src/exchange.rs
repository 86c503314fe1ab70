//! A request on a real connection, and the right to respond to it.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use bytes::Bytes;
use endwell_core::Pace;
use endwell_core::http::server::{self, Continue, NotSwitched, Responder};
use endwell_core::http::{FieldSection, Fields, Framing, Head, InterimHead, Method, Request};

use crate::body::{Gone, Read, ReadAll, RequestBody, ResponseBody};
use crate::conclusion::Answered;
use crate::date;
use crate::transport::Address;
use crate::upgraded::Upgraded;
use crate::wire::{Http, Link, Outcome, SocketState, Wire};
use crate::ws::{Acceptance, Jitter, NotAHandshake, Socket};

/// A request, and the right to respond to it.
///
/// Exactly one of [`respond`](Self::respond), [`start`](Self::start), [`switch`](Self::switch) and
/// [`tunnel`](Self::tunnel) ends it, and each consumes it. If it is dropped instead, also by a panic, the connection's
/// task responds in its place: with 500, or with the status for the error that reading met (400, 408, 413, 431). The
/// connection closes after that.
///
/// ```no_run
/// # async fn f(listener: tokio::net::TcpListener) {
/// use endwell::{Config, Exchange, serve};
/// use endwell::http::StatusCode;
///
/// serve(listener, Config::default(), async |mut exchange: Exchange| {
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
    head: Request,
    right: Right,
}

/// The right to respond, wherever it is. If it is dropped, it returns to the connection's task.
struct Right {
    link: Arc<Link>,
    number: u64,
    expect: Option<Continue>,
    send: Option<Responder>,
}

impl Drop for Right {
    fn drop(&mut self) {
        if let Some(send) = self.send.take() {
            self.link.lock().conclude(Outcome::Dropped(send));
        }
    }
}

impl Exchange {
    pub(crate) fn new(
        link: Arc<Link>,
        number: u64,
        head: Request,
        expect: Option<Continue>,
        send: Responder,
    ) -> Self {
        Self { head, right: Right { link, number, expect, send: Some(send) } }
    }

    /// The connection of this exchange.
    #[cfg(feature = "blocking")]
    pub(crate) fn link(&self) -> &Arc<Link> {
        &self.right.link
    }

    /// The head of the request.
    pub fn head(&self) -> &Request {
        &self.head
    }

    /// The method.
    pub fn method(&self) -> Method<'_> {
        self.head.method()
    }

    /// The path of the target as it was sent: percent escapes are not decoded.
    pub fn path(&self) -> &str {
        self.head.path()
    }

    /// The fields of the head.
    pub fn fields(&self) -> &Fields {
        self.head.fields()
    }

    /// The fields after a chunked body, once it was read to its end. They are never merged into the head's.
    pub fn trailers(&self) -> Option<Fields> {
        self.right.link.lock().trailers.as_deref().cloned()
    }

    /// The address of the other side.
    pub fn peer_address(&self) -> &Address {
        &self.right.link.endpoints.peer
    }

    /// The address of this side.
    pub fn local_address(&self) -> &Address {
        &self.right.link.endpoints.local
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
    pub fn read(&mut self) -> Read<'_> {
        let Right { link, number, expect, send } = &mut self.right;
        Read::new(link, *number, expect, send)
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
    pub fn read_all(&mut self, limit: usize) -> ReadAll<'_> {
        ReadAll::new(self.read(), limit)
    }

    /// Sets the pace that the client must keep with the body of this request, instead of
    /// [`Limits::request_pace`](endwell_core::http::Limits::request_pace), for example on one endpoint that takes slow
    /// or endless uploads.
    pub fn set_body_pace(&mut self, pace: Pace) {
        if self.right.send.is_some() {
            self.right.link.lock().set_body_pace(pace);
        }
    }

    /// Sets the pace at which the client must take the response, instead of
    /// [`OutboxLimits::pace`](endwell_core::OutboxLimits::pace), until the next request, for example on one endpoint
    /// with large downloads or for clients that sleep.
    pub fn set_output_pace(&mut self, pace: Pace) {
        if self.right.send.is_some() {
            self.right.link.lock().set_output_pace(pace);
        }
    }

    /// Sends an interim response, such as 103 Early Hints. HTTP/1.0 has none, so nothing is sent to it.
    pub fn interim(&mut self, head: &InterimHead) {
        let Right { link, send, .. } = &mut self.right;
        if let Some(send) = send {
            let mut wire = link.lock();
            send.interim(head, &mut wire.out);
            wire.leave_to_driver();
        }
    }

    /// Waits until the connection has failed, so that long work can stop.
    ///
    /// A client that has only ended its own side is not gone, and still gets its response. A reset is only noticed by
    /// reading, so up to [`Limits::received_bytes`] are read and kept meanwhile. If the peer sends more than that, a
    /// reset is noticed only when the response is written.
    ///
    /// [`Limits::received_bytes`]: endwell_core::http::Limits::received_bytes
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn peer_gone(&mut self) -> Gone<'_> {
        Gone::new(&self.right.link)
    }

    /// Responds with a body that is available.
    ///
    /// This does not wait: the connection's task writes the response before it waits for anything. `Content-Length`,
    /// `Date` and the fields about the connection are added. The unread rest of the request's body is discarded. The
    /// connection stays open if that rest has arrived, or if its length is known and within
    /// [`Limits::drain_bytes`](endwell_core::http::Limits::drain_bytes); otherwise the response announces the close.
    pub fn respond(self, head: impl Into<Head>, body: impl Into<Bytes>) -> Answered {
        let Self { mut right, .. } = self;
        let (head, body, date) = (head.into(), body.into(), date::now());
        let mut wire = right.link.lock();
        if wire.http.request().is_some_and(|recv| recv.remaining().is_none()) {
            wire.look_at_body();
        }
        if let (Some(mut recv), Some(mut send)) = (wire.http.take_request(), right.send.take()) {
            close_if_draining(&right.link, &mut send);
            let sent = send.respond(&head, body, date.as_ref(), &mut recv, &mut wire.out);
            wire.conclude(Outcome::Answered(recv.after(sent)));
        }
        drop(wire);
        Answered::new()
    }

    /// Responds with a body that is written in pieces, while the body of the request may still be read.
    ///
    /// Sends 100 Continue if the client waits for it. The head is then sent once the body begins to arrive, or
    /// [`Limits::continue_time`](endwell_core::http::Limits::continue_time) is over. While a piece of the response
    /// waits to be written, reading continues, up to
    /// [`Limits::received_bytes`](endwell_core::http::Limits::received_bytes).
    pub fn start(self, head: impl Into<Head>, framing: Framing) -> (RequestBody, ResponseBody) {
        let Self { mut right, .. } = self;
        let (head, date) = (head.into(), date::now());
        let mut wire = right.link.lock();
        let mut body = None;
        if right.expect.is_some() {
            wire.look_at_body();
        }
        let Wire { http, out, .. } = &mut *wire;
        if let (Some(recv), Some(mut send)) = (http.request(), right.send.take()) {
            if let Some(wanted) = right.expect.take().filter(|_| recv.inbox().is_empty()) {
                send.proceed(wanted, out);
            }
            close_if_draining(&right.link, &mut send);
            body = Some(send.start(&head, framing, date.as_ref(), recv, out));
        }
        wire.leave_to_driver();
        drop(wire);
        (
            RequestBody::new(Arc::clone(&right.link), right.number),
            ResponseBody::new(Arc::clone(&right.link), body),
        )
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
        self.release(|exchange, wire| exchange.switch(protocol, fields, date::now().as_ref(), &mut wire.out))
    }

    /// Opens the tunnel that a CONNECT asks for. Responds with 200. Otherwise like [`switch`](Self::switch).
    ///
    /// # Errors
    ///
    /// Returns the exchange, to be answered, with the reason.
    pub fn tunnel(self, fields: &FieldSection) -> Result<(Upgraded, Answered), (NotSwitched, Box<Self>)> {
        self.release(|exchange, wire| exchange.tunnel(fields, date::now().as_ref(), &mut wire.out))
    }

    /// The default terms for [`accept`](Self::accept), with the limits of [`Config::ws`](crate::Config::ws): only pages
    /// of the same Origin, no subprotocol. With feature `deflate`, `Config::deflate` applies too.
    pub fn acceptance(&self) -> Acceptance {
        let hub = &self.right.link.hub;
        let acceptance = Acceptance::new(Arc::clone(&hub.ws_limits)).jitter(jitter());
        #[cfg(feature = "deflate")]
        let acceptance = acceptance.deflate(hub.deflate.clone());
        acceptance
    }

    /// Turns the exchange into a WebSocket. Responds with 101. RFC 6455 4.2.
    ///
    /// # Errors
    ///
    /// Returns the exchange, to be answered, with the reason; [`NotAHandshake::head`] is the head to respond with.
    pub fn accept(self, acceptance: Acceptance) -> Result<Socket, (NotAHandshake, Box<Self>)> {
        let Self { head, mut right } = self;
        let link = Arc::clone(&right.link);
        let mut wire = link.lock();
        let (Some(recv), Some(send)) = (wire.http.take_request(), right.send.take()) else {
            drop(wire);
            return Err((NotAHandshake::Content, Self { head, right }.into()));
        };
        let exchange = server::Exchange { head, expect: right.expect.take(), recv, send };
        match exchange.accept(acceptance, date::now().as_ref(), &mut wire.out) {
            Ok(mut accepted) => {
                let subprotocol = accepted.subprotocol.take();
                wire.socket = SocketState::Open(accepted.session().into());
                wire.leave_to_driver();
                drop(wire);
                Ok(Socket::new(link, subprotocol))
            }
            Err((reason, exchange)) => {
                let server::Exchange { head, expect, recv, send } = *exchange;
                wire.http = Http::Request(recv);
                drop(wire);
                Err((reason, Self::new(link, right.number, head, expect, send).into()))
            }
        }
    }

    fn release(
        self,
        switch: impl FnOnce(
            server::Exchange,
            &mut Wire,
        ) -> Result<server::Upgraded, (NotSwitched, Box<server::Exchange>)>,
    ) -> Result<(Upgraded, Answered), (NotSwitched, Box<Self>)> {
        let Self { head, mut right } = self;
        let link = Arc::clone(&right.link);
        let mut wire = link.lock();
        let (Some(recv), Some(send)) = (wire.http.take_request(), right.send.take()) else {
            drop(wire);
            return Err((NotSwitched::Content, Self { head, right }.into()));
        };
        let exchange = server::Exchange { head, expect: right.expect.take(), recv, send };
        match switch(exchange, &mut wire) {
            Ok(upgraded) => {
                wire.leave_to_driver();
                drop(wire);
                Ok((Upgraded::new(link, upgraded.into_leftover()), Answered::new()))
            }
            Err((reason, exchange)) => {
                let server::Exchange { head, expect, recv, send } = *exchange;
                wire.http = Http::Request(recv);
                drop(wire);
                Err((reason, Self::new(link, right.number, head, expect, send).into()))
            }
        }
    }
}

/// Returns an evenly spread number. It need not be unpredictable.
pub(crate) fn jitter() -> Jitter {
    let number = RandomState::new().hash_one(0_u8);
    Jitter(u32::try_from(number >> 32).unwrap_or(0))
}

/// Makes every response of a server that stops the last one of its connection.
fn close_if_draining(link: &Link, send: &mut Responder) {
    if link.hub.is_draining() {
        send.close();
    }
}

impl fmt::Debug for Exchange {
    /// Hides the values of fields that carry credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("head", &self.head).finish_non_exhaustive()
    }
}
