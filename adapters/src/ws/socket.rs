//! A WebSocket on a real connection.

use std::fmt;
use std::sync::Arc;

use endwell_core::ws::{Close, CloseCode, Control, Full, Kind, Receiver, Sender, SessionEvent, Writing};

use super::close::CloseSocket;
use super::fragments::Fragments;
use super::message::Message;
use super::receive::{ForEach, Receive, Reply};
use super::send::Send;
use crate::transport::Address;
use crate::upgraded::Upgraded;
use crate::wire::{Link, SocketState, Wire};

/// An open WebSocket.
///
/// It answers pings and the peer's Close by itself, before the event is handed out, and keeps the connection alive
/// while something is waited for. It ends in [`close`](Self::close), which consumes it and says how the connection
/// ended. If it is dropped instead, the peer is told 1011 and the connection closes in order.
///
/// ```no_run
/// # async fn f(exchange: endwell::Exchange) -> Result<endwell::Ended, endwell::Ended> {
/// use endwell::ws::{Close, Content};
///
/// let acceptance = exchange.acceptance();
/// let mut socket = match exchange.accept(acceptance) {
///     Ok(socket) => socket,
///     Err((reason, exchange)) => {
///         exchange.respond(reason.head(), reason.to_string());
///         return Err(endwell::Ended::Announced);
///     }
/// };
/// while let Some(message) = socket.receive().await {
///     if message.is_data() {
///         socket.send(message).await?;
///     }
/// }
/// Ok(socket.close(Close::EMPTY).await)
/// # }
/// ```
///
/// Sending after the close does not compile:
///
/// ```compile_fail,E0382
/// # async fn f(mut socket: endwell::ws::Socket) {
/// let ended = socket.close(endwell::ws::Close::EMPTY);
/// socket.send("more").await;
/// # }
/// ```
#[must_use = "a socket that is dropped is closed with 1011"]
pub struct Socket {
    link: Arc<Link>,
    subprotocol: Option<Box<str>>,
}

impl Socket {
    pub(crate) fn new(link: Arc<Link>, subprotocol: Option<Box<str>>) -> Self {
        Self { link, subprotocol }
    }

    pub(super) fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// The subprotocol that was agreed on.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The address of the other side.
    pub fn peer_address(&self) -> &Address {
        &self.link.endpoints.peer
    }

    /// The address of this side.
    pub fn local_address(&self) -> &Address {
        &self.link.endpoints.local
    }

    /// The next message; pings, pongs and the peer's Close are among them, and were answered. `None`: nothing more
    /// will come, and [`close`](Self::close) says why.
    ///
    /// While more is queued than [`OutboxLimits::high_water`](endwell_core::OutboxLimits::high_water), it waits for
    /// the peer to take some of it first.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was not returned is returned by the next call.
    #[inline]
    pub fn receive(&mut self) -> Receive<'_> {
        Receive { socket: self }
    }

    /// Hands every event to `on_event` where it arrived, with the means to reply, until nothing more will come. The
    /// fastest way: an echoed message is copied once.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn for_each<F>(&mut self, on_event: F) -> ForEach<'_, F>
    where
        F: FnMut(SessionEvent<'_>, Reply<'_>) + Unpin,
    {
        ForEach { socket: self, on_event }
    }

    /// Sends a message: waits for room, then hands it over whole. It is on its way when the connection's task waits
    /// for anything.
    ///
    /// A ping, pong or Close that was received is not sent back: that has been done.
    ///
    /// # Errors
    ///
    /// The connection is closing or has ended; the message comes back.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a future that is dropped before it is ready has sent nothing, and one that is kept gives the
    /// message back ([`Send::into_message`]).
    #[inline]
    pub fn send(&mut self, message: impl Into<Message>) -> Send<'_> {
        Send { socket: self, message: Some(message.into()) }
    }

    /// Starts a message that is sent in pieces. No other message can be sent before it is finished; pings and pongs
    /// go between its pieces.
    pub fn send_fragments(&mut self, kind: Kind) -> Fragments<'_> {
        {
            let mut wire = self.link.lock();
            if let SocketState::Open(session) = &mut wire.socket {
                let _ = session.start(kind);
            }
        }
        Fragments::new(self)
    }

    /// Sends a ping now.
    ///
    /// # Errors
    ///
    /// The connection is closing, or even the reserve for control frames is full: the payload comes back.
    pub fn ping<'p>(&mut self, payload: Control<'p>) -> Result<(), Full<Control<'p>>> {
        let mut wire = self.link.lock();
        let Wire { socket, out, .. } = &mut *wire;
        let SocketState::Open(session) = socket else { return Err(Full(payload)) };
        match session.writing() {
            Writing::Idle(sender) => sender.ping(payload, out)?,
            Writing::Streaming(fragments) => fragments.ping(payload, out)?,
            Writing::Closed => return Err(Full(payload)),
        }
        wire.leave_to_driver();
        Ok(())
    }

    /// Closes: sends our Close, unless the peer's was answered, waits for the peer's within
    /// [`Limits::close_time`](super::Limits::close_time), and says how the connection ended. All that was sent before
    /// goes out first.
    ///
    /// # Cancel safety
    ///
    /// The Close is written when this is *called*. A future that is dropped loses only the story: the connection's
    /// task closes to the end.
    pub fn close(self, close: impl Into<Close>) -> CloseSocket {
        self.link.lock().close_socket(close.into());
        CloseSocket::new(Arc::clone(&self.link))
    }

    /// Takes it apart: the byte stream, and the two halves of the protocol, which now are yours to drive. The handler
    /// returns how that ended. `None`: the connection is closing, or a message was begun and never finished; it is
    /// closed as if the socket was dropped.
    pub fn into_parts(self) -> Option<(Upgraded, Receiver, Sender)> {
        let mut wire = self.link.lock();
        let SocketState::Open(session) = &mut wire.socket else { return None };
        // A session that cannot be taken apart stays where it is: dropping the socket closes it.
        let Writing::Idle(_) = session.writing() else { return None };
        let (recv, send) = wire.socket.take_open()?.into_parts()?;
        drop(wire);
        Some((Upgraded::new(Arc::clone(&self.link), bytes::Bytes::new()), recv, send))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.link.lock().close_socket(CloseCode::INTERNAL_ERROR.into());
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("peer", self.peer_address()).finish_non_exhaustive()
    }
}
