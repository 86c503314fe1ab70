//! The right to send the next request.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use endwell_core::http::client::Client;
use endwell_core::http::{ConnectHead, Framing, InvalidRequestHead, RequestHead};
use endwell_core::ws::Offer;

use super::body::{Body, Withheld};
use super::driver::Driver;
use super::pool::Member;
use super::response::Response;
use super::tunnel::Tunnel;
use super::upgrade::Upgrade;
use crate::body::Gone;
use crate::counters::Counters;
use crate::exchange::jitter;
use crate::hub::Hub;
use crate::transport::{Address, Endpoints, Transport};
use crate::wire::{Asking, Http, Link, Phase, Sent};
use crate::{Config, random};

/// A client's connection on which no request is open, and the right to send one.
///
/// Sending a request consumes it, and [`Received::finish`](super::Received::finish) gives it back. If it is dropped, the
/// connection closes, or goes back to the [`Pool`](super::Pool) that it is from.
///
/// Sending a second request before the first one is answered does not compile:
///
/// ```compile_fail,E0382
/// # fn f(connection: endwell::client::Connection, head: &endwell::http::RequestHead) {
/// let first = connection.send(head, "one");
/// let second = connection.send(head, "two");
/// # }
/// ```
#[must_use = "dropping a connection closes it"]
pub struct Connection(Right);

/// The connection, wherever the right to use it is. If that is dropped, it goes back to its pool if nothing is open on it,
/// and closes otherwise, unless another protocol has it.
pub(super) struct Right {
    link: Arc<Link>,
    pool: Option<Member>,
}

impl Right {
    fn new(link: Arc<Link>) -> Self {
        Self { link, pool: None }
    }

    /// The connection.
    pub(super) fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// It comes from a pool.
    pub(super) fn joined(mut self, member: Member) -> Self {
        self.pool = Some(member);
        self
    }

    /// It does not go back to its pool.
    pub(super) fn part(&mut self) -> Option<Member> {
        self.pool.take()
    }
}

impl Drop for Right {
    fn drop(&mut self) {
        if let Some(member) = self.pool.take() {
            // Other locks are taken when this one is free again.
            let is_idle = self.link.lock().comes_to_rest();
            if is_idle {
                return member.give_back(Self::new(Arc::clone(&self.link)));
            }
        }
        self.link.lock().give_up();
    }
}

impl Connection {
    /// A connection over any transport, with the task that drives it, and addresses unknown. Of `config` the bounds of
    /// HTTP, of WebSockets and of output count.
    ///
    /// The driver must be polled for as long as the connection lives: spawn it, or await it beside what uses the
    /// connection.
    pub fn over(transport: impl Transport, config: &Config) -> (Self, Driver) {
        Self::with_endpoints(transport, Endpoints::default(), config)
    }

    pub(super) fn with_endpoints(
        transport: impl Transport,
        endpoints: Endpoints,
        config: &Config,
    ) -> (Self, Driver) {
        let hub = Hub::new(Arc::new(Counters::default()), config);
        let link = Link::new(transport, endpoints, hub, config);
        let client = Client::new(config.http.clone().into());
        link.lock().http = Http::Asking(Asking::new(client).into());
        (Self(Right::new(Arc::clone(&link))), Driver::new(link))
    }

    pub(super) fn again(right: Right) -> Self {
        Self(right)
    }

    pub(super) fn into_right(self) -> Right {
        self.0
    }

    /// It comes from a pool.
    pub(super) fn joined(self, member: Member) -> Self {
        Self(self.0.joined(member))
    }

    /// True if it lay idle in a pool before.
    pub(super) fn was_used(&self) -> bool {
        self.0.pool.as_ref().is_some_and(Member::is_used)
    }

    /// The address of the other side.
    pub fn peer_address(&self) -> &Address {
        &self.0.link().endpoints.peer
    }

    /// The address of this side.
    pub fn local_address(&self) -> &Address {
        &self.0.link().endpoints.local
    }

    /// Whether a request can be sent, as far as is known: the server has neither left nor sent anything unasked. It asks
    /// the transport, not the server: the runtime if that has heard of something, and else the system
    /// ([`Transport::has_unseen`]).
    pub fn is_open(&mut self) -> bool {
        self.0.link().lock().is_idle()
    }

    /// Waits until the connection has ended: the server leaves, or the connection is idle for longer than
    /// [`Limits::idle_time`](crate::http::Limits::idle_time).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn closed(&mut self) -> Gone<'_> {
        Gone::new(self.0.link())
    }

    /// Sends a request whose body is at hand. Await the [`Response`].
    ///
    /// Does not wait: the connection's task writes it. If the connection has ended meanwhile, the response says so
    /// ([`Failure::NotSent`](super::Failure::NotSent)).
    pub fn send(self, head: &RequestHead, body: impl Into<Bytes>) -> Response {
        let body = body.into();
        self.ask(|client, out| {
            let (finished, response) = client.send(head, body, out);
            (Phase::Waiting(response), Sent::Finished(finished), ())
        });
        Response::new(self.0)
    }

    /// Sends a request whose body is written in pieces, while the response may already be arriving.
    ///
    /// Reading goes on while a piece waits to be written, up to
    /// [`Limits::received_bytes`](crate::http::Limits::received_bytes).
    pub fn request(self, head: &RequestHead, framing: Framing) -> (Body, Response) {
        let body = self.ask(|client, out| {
            let (body, response) = client.request(head, framing, out);
            (Phase::Waiting(response), Sent::Open, body)
        });
        (Body::new(self.0.link(), body), Response::new(self.0))
    }

    /// Sends the head of a request and asks to be told whether its body is wanted: `Expect: 100-continue`. RFC 9110
    /// 10.1.1.
    ///
    /// Await the [`Withheld`]: it becomes a [`Body`] when the server asks for it, or after
    /// [`Limits::continue_time`](crate::http::Limits::continue_time), since servers need not know of the expectation. A
    /// response of 417 means that the request can be repeated without it.
    pub fn request_expecting(self, head: &RequestHead, framing: Framing) -> (Withheld, Response) {
        let body = self.ask(|client, out| {
            let (body, response) = client.request_expecting(head, framing, out);
            (Phase::Waiting(response), Sent::Withheld, body)
        });
        (Withheld::new(self.0.link(), body), Response::new(self.0))
    }

    /// An offer to become a WebSocket at `target` of `host`, with a key of its own and the limits of
    /// [`Config::ws`]; with feature `deflate` also with `Config::deflate`. It is for one handshake.
    ///
    /// # Errors
    ///
    /// Host or target is none.
    pub fn offer(&self, host: &str, target: &str) -> Result<Offer, InvalidRequestHead> {
        let hub = &self.0.link().hub;
        let offer = Offer::new(host, target, random::nonce(), Arc::clone(&hub.ws_limits))?.jitter(jitter());
        #[cfg(feature = "deflate")]
        let offer = offer.deflate(hub.deflate.clone());
        Ok(offer)
    }

    /// Asks for a WebSocket. RFC 6455 4.1. Await the result.
    ///
    /// The frames that it will send are masked with keys from a generator that is seeded by the system.
    pub fn upgrade(self, offer: Offer) -> Upgrade {
        self.ask(|client, out| {
            let handshake = client.upgrade(offer, random::masks(), out);
            (Phase::Upgrading(handshake), Sent::Nothing, ())
        });
        Upgrade::new(self.0)
    }

    /// Asks for a tunnel: CONNECT, RFC 9110 9.3.6. Await the result: a byte stream, or the response that refuses it.
    ///
    /// This is for a connection to a proxy that is at hand. Whoever wants all connections to go through proxies takes
    /// [`Proxied`](super::proxy::Proxied).
    pub fn tunnel(self, head: &ConnectHead) -> Tunnel {
        self.ask(|client, out| (Phase::Tunnelling(client.tunnel(head, out)), Sent::Nothing, ()));
        Tunnel::new(self.0)
    }

    fn ask<R>(&self, write: impl FnOnce(Client, &mut endwell_core::Outbox) -> (Phase, Sent, R)) -> Option<R> {
        self.0.link().lock().ask(write)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("peer", self.peer_address()).finish_non_exhaustive()
    }
}
