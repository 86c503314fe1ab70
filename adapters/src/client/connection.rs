//! The right to send the next request.

use std::any::Any;
use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use endwell_core::http::client::ClientConnection;
use endwell_core::http::{Connect, Framing, InvalidRequest, Request, Upgrade};
use endwell_core::ws::Offer;

use super::asked::Asked;
use super::asking::{Calling, Phase};
use super::body::{ContinueFuture, RequestWriter};
use super::dial::dial;
use super::origin::Origin;
use super::pool::Member;
use super::response_future::ResponseFuture;
use super::switch::SwitchFuture;
use super::tunnel::TunnelFuture;
use super::upgrade::UpgradeFuture;
use crate::connection::{Link, Shared, State};
use crate::info::{Address, Info};
use crate::news::Gone;
use crate::runtime::Runtime;
use crate::server::jitter;
use crate::transport::{Connector, Transport};
use crate::{ClientConfig, Driver, random};

/// The right to send the next request: the core's [`ClientConnection`] on a real connection.
///
/// Sending a request consumes it, and [`ResponseReader::finish`](super::ResponseReader::finish) returns it. If it is dropped, the
/// connection closes, or goes back to its [`Pool`](super::Pool).
///
/// Sending a second request before the first one is answered does not compile:
///
/// ```compile_fail,E0382
/// # fn f(connection: endwell::client::Connection, head: &endwell::http::Request) {
/// let first = connection.send(head, "one");
/// let second = connection.send(head, "two");
/// # }
/// ```
#[must_use = "dropping a connection closes it"]
pub struct Connection(Right);

/// The right to use a connection, wherever it is. If it is dropped, the connection goes back to its pool if no exchange
/// is open on it. Otherwise it closes, unless another protocol uses it.
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

    /// Marks the connection as one of a pool.
    pub(super) fn joined(mut self, member: Member) -> Self {
        self.pool = Some(member);
        self
    }

    /// Detaches the connection from its pool.
    pub(super) fn part(&mut self) -> Option<Member> {
        self.pool.take()
    }
}

impl Drop for Right {
    fn drop(&mut self) {
        if let Some(member) = self.pool.take() {
            // Other locks are taken after this one is released.
            let is_idle = self.link.lock().comes_to_rest();
            if is_idle {
                return member.give_back(Self::new(Arc::clone(&self.link)));
            }
        }
        self.link.lock().give_up();
    }
}

impl Connection {
    /// Connects, and spawns the task of the connection.
    ///
    /// # Errors
    ///
    /// The origin requires TLS and the connector has none, the name has no address, no address can be connected to within
    /// [`ClientConfig::connect_time`], TLS fails or does not complete in that time, or the runtime has no room for a task.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves nothing behind.
    ///
    /// The future borrows the connector and the origin, and not the configuration.
    pub fn connect<'c, 'o, C: Connector>(
        connector: &'c C,
        origin: &'o Origin,
        config: &ClientConfig,
    ) -> impl Future<Output = io::Result<Self>> + use<'c, 'o, C> {
        let dialled = Self::dial(connector, origin, config);
        async move {
            let (connection, driver) = dialled.await?;
            connector.runtime().spawn(async {
                driver.await;
            })?;
            Ok(connection)
        }
    }

    /// Connects as [`connect`](Self::connect) does, and returns the [`Driver`] of the connection: spawn it, or let it
    /// [`run`](Driver::run) what uses the connection.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect), except that no task is spawned.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves nothing behind.
    ///
    /// The future borrows the connector and the origin, and not the configuration.
    pub fn dial<'c, 'o, C: Connector>(
        connector: &'c C,
        origin: &'o Origin,
        config: &ClientConfig,
    ) -> impl Future<Output = io::Result<(Self, Driver)>> + use<'c, 'o, C> {
        dial(connector, origin, config.connect_time, Shared::alone(config))
    }

    /// Makes a connection over any transport of `runtime`, with the task that drives it. Its addresses are unknown.
    ///
    /// Keep polling the driver while the connection is open: spawn it, or join it with the task that uses the
    /// connection.
    pub fn over(transport: impl Transport, runtime: impl Runtime, config: &ClientConfig) -> (Self, Driver) {
        Self::with_info(transport, &runtime, Info::default(), Shared::alone(config))
    }

    pub(super) fn with_info(
        transport: impl Transport,
        runtime: &impl Runtime,
        info: Info,
        shared: Arc<Shared>,
    ) -> (Self, Driver) {
        let client =
            ClientConnection::new(Arc::clone(&shared.settings.http), Arc::clone(&shared.settings.output));
        let link = Link::new(transport, runtime, info, shared, State::client(client));
        (Self(Right::new(Arc::clone(&link))), Driver::new(link))
    }

    pub(super) fn again(right: Right) -> Self {
        Self(right)
    }

    pub(super) fn into_right(self) -> Right {
        self.0
    }

    /// Marks the connection as one of a pool.
    pub(super) fn joined(self, member: Member) -> Self {
        Self(self.0.joined(member))
    }

    /// True if it was idle in a pool before.
    pub(super) fn was_used(&self) -> bool {
        self.0.pool.as_ref().is_some_and(Member::is_used)
    }

    /// The address of the other side.
    pub fn peer_address(&self) -> &Address {
        &self.0.link().info.peer
    }

    /// The address of this side.
    pub fn local_address(&self) -> &Address {
        &self.0.link().info.local
    }

    /// The fact of type `T` that a layer of the connection knows, such as `tls::TlsInfo`. `None` if none does.
    pub fn info<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.link().info.get()
    }

    /// True if the connection uses TLS.
    pub fn is_secure(&self) -> bool {
        self.0.link().info.is_secure
    }

    /// True if a request can be sent, as far as is known: the server has neither left nor sent anything unsolicited. It
    /// asks the transport, not the server: first the runtime, then the system ([`Transport::has_unseen`]).
    pub fn is_open(&mut self) -> bool {
        self.0.link().lock().is_idle()
    }

    /// Waits until the connection has ended: the server leaves, or the connection is idle for longer than
    /// [`HttpLimits::idle_time`](crate::http::HttpLimits::idle_time).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn closed(&mut self) -> Gone<'_> {
        Gone::new(self.0.link())
    }

    /// Sends a request whose whole body is available. Await the [`ResponseFuture`].
    ///
    /// This does not wait: the connection's task writes the request. If the connection has ended meanwhile, the
    /// response fails with [`RequestError::NotSent`](super::RequestError::NotSent).
    pub fn send(self, head: &Request, body: impl Into<Bytes>) -> ResponseFuture {
        let body = body.into();
        self.ask(|client| Phase::Waiting(Calling::Sent(client.send(head, body))));
        ResponseFuture(Asked::new(self.0))
    }

    /// Sends a request and writes its body in pieces, while the response may already be arriving.
    ///
    /// Reading continues while a piece waits to be written, up to
    /// [`HttpLimits::received_bytes`](crate::http::HttpLimits::received_bytes).
    pub fn request(self, head: &Request, framing: Framing) -> (RequestWriter, ResponseFuture) {
        let number = self.ask(|client| Phase::Waiting(Calling::Streaming(client.start(head, framing))));
        (RequestWriter::new(self.0.link(), number), ResponseFuture(Asked::new(self.0)))
    }

    /// Sends the head of a request and asks whether the server wants the body: `Expect: 100-continue`. RFC 9110 10.1.1.
    ///
    /// Await the [`ContinueFuture`]: it becomes a [`RequestWriter`] when the server asks for it, or after
    /// [`HttpLimits::continue_time`](crate::http::HttpLimits::continue_time), since a server may not know the expectation.
    /// After a 417, repeat the request without it.
    pub fn request_expecting(self, head: &Request, framing: Framing) -> (ContinueFuture, ResponseFuture) {
        let number = self.ask(|client| Phase::Waiting(Calling::Withheld(client.ask(head, framing))));
        (ContinueFuture::new(self.0.link(), number), ResponseFuture(Asked::new(self.0)))
    }

    /// Makes an offer to become a WebSocket at `target` of `host`, with its own key and the limits of [`ClientConfig::ws`];
    /// with feature `deflate` also with `ClientConfig::deflate`. It is for one handshake.
    ///
    /// # Errors
    ///
    /// If host or target is invalid.
    pub fn offer(&self, host: &str, target: &str) -> Result<Offer, InvalidRequest> {
        let shared = &self.0.link().shared;
        let offer = Offer::new(host, target, random::nonce(), Arc::clone(&shared.settings.ws_limits))?
            .jitter(jitter());
        #[cfg(feature = "deflate")]
        let offer = offer.deflate(shared.settings.deflate.clone());
        Ok(offer)
    }

    /// Asks for a WebSocket. RFC 6455 4.1. Await the result.
    ///
    /// The system seeds the generator of the keys that mask its frames.
    pub fn upgrade(self, offer: Offer) -> UpgradeFuture {
        self.ask(|client| Phase::Upgrading(client.websocket(offer, random::masks())));
        UpgradeFuture(Asked::new(self.0))
    }

    /// Sends a request whose whole body is available, and offers to switch to another protocol after it. RFC 9110 7.8. Await
    /// the result: a byte stream, or the response of a server that does not switch.
    ///
    /// Docker's `attach` and Kubernetes' `exec` are offered this way. For a WebSocket, use [`upgrade`](Self::upgrade).
    pub fn switch(self, head: Upgrade, body: impl Into<Bytes>) -> SwitchFuture {
        let body = body.into();
        self.ask(|client| Phase::Switching(client.switch(head, body)));
        SwitchFuture(Asked::new(self.0))
    }

    /// Asks for a tunnel: CONNECT, RFC 9110 9.3.6. Await the result: a byte stream, or the response that refuses it.
    ///
    /// This is for an existing connection to a proxy. To send all connections through proxies, use
    /// [`Proxied`](super::proxy::Proxied).
    pub fn tunnel(self, head: &Connect) -> TunnelFuture {
        self.ask(|client| Phase::Switching(client.tunnel(head)));
        TunnelFuture(Asked::new(self.0))
    }

    fn ask(&self, write: impl FnOnce(ClientConnection) -> Phase) -> Option<u64> {
        self.0.link().lock().ask(write)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("peer", self.peer_address()).finish_non_exhaustive()
    }
}
