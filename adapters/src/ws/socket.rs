//! A WebSocket on a real connection.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use endwell_core::Pace;
use endwell_core::ws::{Close, Control, Full, Kind, Receiver, Sender, SessionEvent, WebSocket, Writing};

use super::byte_stream::ByteStream;
use super::close::CloseSocket;
use super::driver::Driver;
use super::flush::Flush;
use super::fragments::Fragments;
use super::halves::{ReadAhead, ReceiveHalf, SendHalf};
use super::message::Message;
#[cfg(feature = "futures")]
use super::messages::Messages;
use super::outlet::Outlet;
use super::pieces::ReceivePieces;
use super::receive::{ForEach, Receive, Reply};
use super::send::Send;
use crate::Config;
use crate::transport::{Address, Transport};
use crate::upgraded::Upgraded;
use crate::wire::{Link, SocketState};

/// An open WebSocket.
///
/// It answers pings and the peer's Close by itself, before the event is handed out, and keeps the connection alive
/// while something is waited for, or always ([`drive`](Self::drive)). For two tasks it is [`split`](Self::split), and
/// any number of them send through an [`outlet`](Self::outlet). It ends in [`close`](Self::close), which consumes it and says how the connection
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
    send: SendHalf,
    recv: ReceiveHalf,
    subprotocol: Option<Box<str>>,
}

impl Socket {
    pub(crate) fn new(link: Arc<Link>, subprotocol: Option<Box<str>>) -> Self {
        let send = SendHalf::new(Arc::clone(&link));
        Self { send, recv: ReceiveHalf::new(link), subprotocol }
    }

    /// A WebSocket whose handshake somebody else has done, in either role, over any transport; with the task that drives
    /// it. Of `config` the bounds of output and of outlets count; those of the protocol are in `web_socket`.
    ///
    /// The driver must be polled for as long as the connection lives: spawn it, or await it beside what uses the socket.
    ///
    /// ```no_run
    /// # async fn f(stream: tokio::net::TcpStream, web_socket: endwell::core::ws::WebSocket) -> std::io::Result<()> {
    /// use endwell::{Config, tokio::Stream, ws::Socket};
    ///
    /// let (mut socket, driver) = Socket::over(Stream::tcp(stream)?, web_socket, &Config::default());
    /// tokio::spawn(driver);
    /// let first = socket.receive().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn over(transport: impl Transport, web_socket: WebSocket, config: &Config) -> (Self, Driver) {
        let mut web_socket = web_socket;
        let subprotocol = web_socket.subprotocol.take();
        let driver = Driver::new(transport, web_socket.session(), config);
        (Self::new(Arc::clone(driver.link()), subprotocol), driver)
    }

    fn link(&self) -> &Arc<Link> {
        self.send.link()
    }

    pub(super) fn send_half(&mut self) -> &mut SendHalf {
        &mut self.send
    }

    /// The subprotocol that was agreed on.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The address of the other side.
    pub fn peer_address(&self) -> &Address {
        &self.link().endpoints.peer
    }

    /// The address of this side.
    pub fn local_address(&self) -> &Address {
        &self.link().endpoints.local
    }

    /// Sets the pace that the peer must keep within a message, instead of
    /// [`Limits::message_pace`](super::Limits::message_pace): a socket on which messages come in pieces over hours is not all of
    /// them.
    pub fn set_message_pace(&mut self, pace: Pace) {
        self.recv.set_message_pace(pace);
    }

    /// Sets the pace at which the peer must take what is sent, instead of
    /// [`OutboxLimits::pace`](endwell_core::OutboxLimits::pace): a socket to a device that sleeps is not all of them.
    pub fn set_output_pace(&mut self, pace: Pace) {
        self.send.set_output_pace(pace);
    }

    /// The next message; pings, pongs and the peer's Close are among them, and were answered. `None`: nothing more
    /// will come, and [`close`](Self::close) says why.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was not returned is returned by the next call.
    #[inline]
    pub fn receive(&mut self) -> Receive<'_> {
        self.recv.receive()
    }

    /// Hands every event to `on_event` where it arrived, with the means to reply, until nothing more will come. The
    /// fastest way: an echoed message is copied once.
    ///
    /// While more is queued than [`OutboxLimits::high_water`](endwell_core::OutboxLimits::high_water) and replies are
    /// among it, it waits for the peer to take some of it first.
    ///
    /// The connection is locked while `on_event` runs: it must not block, nor use the other half of this socket. Outlets it
    /// can use.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn for_each<F>(&mut self, on_event: F) -> ForEach<'_, F>
    where
        F: FnMut(SessionEvent<'_>, Reply<'_>) + Unpin,
    {
        self.recv.for_each(on_event)
    }

    /// The next message, to be received in pieces as they arrive: of any size up to
    /// [`Limits::streamed_bytes`](super::Limits::streamed_bytes), through constant memory, and the peer sends no faster
    /// than they are taken. Control frames are answered and not handed out. `None`: nothing more will come.
    ///
    /// ```no_run
    /// # async fn f(mut socket: endwell::ws::Socket, mut file: std::fs::File) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::io::Write;
    ///
    /// if let Some(mut message) = socket.receive_pieces().await {
    ///     while let Some(piece) = message.read().await? {
    ///         file.write_all(&piece)?;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a message that was not returned is returned by the next call.
    pub fn receive_pieces(&mut self) -> ReceivePieces<'_> {
        self.recv.receive_pieces()
    }

    /// Lets the connection's task receive while the application does something else for long: pings are answered and
    /// sent, and times are kept, up to so much that nobody has asked for. [`receive`](Self::receive) gives it out.
    ///
    /// Beyond that nothing is read until the application comes back, and no time runs for the peer.
    pub fn drive(&mut self, ahead: ReadAhead) {
        self.recv.drive(ahead);
    }

    /// Sends a message: waits for room, then hands it over whole. It is on its way when the connection's task waits
    /// for anything.
    ///
    /// A ping, pong or Close that was received is not sent back: that has been done. A message that is larger than
    /// [`OutboxLimits::bytes`](endwell_core::OutboxLimits::bytes) waits until nothing else is queued.
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
        self.send.send(message)
    }

    /// Starts a message that is sent in pieces. No other message can be sent before it is finished, and those of outlets
    /// wait; pings and pongs go between its pieces. Where compression was agreed on, it is compressed.
    pub fn send_fragments(&mut self, kind: Kind) -> Fragments<'_> {
        self.send.send_fragments(kind)
    }

    /// Starts a message in pieces like [`send_fragments`](Self::send_fragments), and says whether it is compressed; its size
    /// is not asked.
    #[cfg(feature = "deflate")]
    pub fn send_fragments_with(&mut self, kind: Kind, compression: super::Compression) -> Fragments<'_> {
        self.send.send_fragments_with(kind, compression)
    }

    /// True if compression was agreed on, and the connection is open.
    #[cfg(feature = "deflate")]
    pub fn deflates(&self) -> bool {
        self.send.deflates()
    }

    /// Sends a ping now.
    ///
    /// # Errors
    ///
    /// The connection is closing, or even the reserve for control frames is full: the payload comes back.
    pub fn ping<'p>(&mut self, payload: Control<'p>) -> Result<(), Full<Control<'p>>> {
        self.send.ping(payload)
    }

    /// Waits until the transport has taken everything that is queued, messages of outlets included: as long as those never
    /// pause, this waits, and [`Outlet::flush`] does not. Without this it is written when the connection's task waits for
    /// anything.
    ///
    /// # Errors
    ///
    /// The connection has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn flush(&mut self) -> Flush<'_> {
        self.send.flush()
    }

    /// A handle that can be cloned, for many producers: each sends whole messages, in the order in which they were
    /// accepted, and none can close another's message in. All outlets of a socket share one queue with the bounds of
    /// [`Config::outlet`].
    pub fn outlet(&self) -> Outlet {
        self.send.outlet()
    }

    /// Two halves for two tasks. Neither waits for the other.
    pub fn split(self) -> (SendHalf, ReceiveHalf) {
        (self.send, self.recv)
    }

    /// The same as a `futures::Stream` and `futures::Sink` of messages.
    #[cfg(feature = "futures")]
    pub fn into_messages(self) -> Messages {
        Messages::new(self)
    }

    /// The same as a byte stream over binary messages.
    pub fn into_byte_stream(self) -> ByteStream {
        ByteStream::new(self)
    }

    /// Closes: sends our Close, unless the peer's was answered, waits for the peer's within
    /// [`Limits::close_time`](super::Limits::close_time), and says how the connection ended. All that was accepted before,
    /// by outlets too, goes out first; no outlet accepts anything from now on. What the peer has sent and nobody has
    /// received is thrown away.
    ///
    /// # Cancel safety
    ///
    /// The Close is queued when this is *called*. A future that is dropped loses only the story: the connection's
    /// task closes to the end.
    pub fn close(self, close: impl Into<Close>) -> CloseSocket {
        self.send.close(close)
    }

    /// Takes it apart: the byte stream, and the two halves of the protocol, which now are yours to drive. The handler
    /// returns how that ended. `None`: the connection is closing, or a message was begun and never finished; it is
    /// closed as if the socket was dropped. Messages that outlets have accepted are not sent any more, and can be had
    /// back from them ([`Outlet::unsent`]); those that were received ahead ([`drive`](Self::drive)) are to be received
    /// before.
    pub fn into_parts(self) -> Option<(Upgraded, Receiver, Sender)> {
        let mut wire = self.link().lock();
        let SocketState::Open(session) = &mut wire.socket else { return None };
        // A session that cannot be taken apart stays where it is: dropping the socket closes it.
        let Writing::Idle(_) = session.writing() else { return None };
        let (recv, send) = wire.socket.take_open()?.into_parts()?;
        wire.tell_outlets();
        drop(wire);
        Some((Upgraded::new(Arc::clone(self.link()), Bytes::new()), recv, send))
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("peer", self.peer_address()).finish_non_exhaustive()
    }
}
