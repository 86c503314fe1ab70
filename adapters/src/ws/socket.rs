//! A WebSocket on a real connection.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use endwell_core::Pace;
use endwell_core::ws::{self as core_ws, Close, Control, Event, Full, Kind};

use super::byte_stream::ByteStream;
use super::close::CloseSocket;
use super::config::SocketConfig;
use super::flush::Flush;
use super::halves::{ReceiveHalf, SendHalf};
use super::message::Message;
use super::message_reader::ReceivePieces;
use super::message_writer::MessageWriter;
#[cfg(feature = "futures")]
use super::messages::Messages;
use super::outlet::Outlet;
use super::receive::{ForEach, Receive, ReceiveData, Reply};
use super::send::SendMessage;
use crate::Driver;
use crate::connection::Shared;
use crate::connection::{Link, State};
use crate::info::{Address, Info};
use crate::runtime::Runtime;
use crate::transport::Transport;
use crate::upgraded::Upgraded;

/// An open WebSocket, with the right to write: the core's [`Socket`](core_ws::Socket) on a real connection.
///
/// The connection's task reads whatever the application does: it answers pings, also those behind messages that were not
/// received yet, sends pings of its own, and notices a peer that leaves. It reads up to
/// [`SocketLimits::received_bytes`](super::SocketLimits::received_bytes) ahead, and one message; beyond that it reads no further until
/// the application receives, and no time limit runs for the peer. The peer's Close is answered as soon as it is seen:
/// nothing can be sent from then on, and what came before it is still received. A socket whose peer has closed or left is
/// closed after [`SocketConfig::half_closed`](super::SocketConfig::half_closed) if the application does not receive that.
///
/// [`split`](Self::split) divides it between two tasks, and any number of tasks send through an
/// [`outlet`](Self::outlet). [`close`](Self::close) consumes it and returns how the connection ended. If it is dropped
/// instead, the peer receives 1011 and the connection closes in order.
///
/// ```no_run
/// # async fn f(exchange: endwell::Exchange) -> Result<endwell::Answered, endwell::Ended> {
/// use endwell::ws::{Close, Content};
///
/// let acceptance = exchange.acceptance();
/// let mut socket = match exchange.accept(acceptance) {
///     Ok(socket) => socket,
///     Err((reason, exchange)) => return Ok(exchange.respond(reason.head(), reason.to_string())),
/// };
/// while let Some(message) = socket.receive().await {
///     if message.is_data() {
///         socket.send(message).await?;
///     }
/// }
/// Err(socket.close(Close::EMPTY).await)
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

    /// Makes a socket, over any transport of `runtime` and in either role, from a WebSocket whose handshake was done
    /// elsewhere. Returns it with the task that drives it.
    ///
    /// Keep polling the driver while the connection is open: spawn it, or join it with the task that uses the socket.
    ///
    /// ```no_run
    /// # async fn f(stream: tokio::net::TcpStream, web_socket: endwell::core::ws::Socket) -> std::io::Result<()> {
    /// use endwell::tokio::{Stream, Tokio};
    /// use endwell::ws::{Socket, SocketConfig};
    ///
    /// let (mut socket, driver) = Socket::over(Stream::tcp(stream)?, Tokio, web_socket, &SocketConfig::default());
    /// tokio::spawn(driver);
    /// let first = socket.receive().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn over(
        transport: impl Transport,
        runtime: impl Runtime,
        web_socket: core_ws::Socket,
        config: &SocketConfig,
    ) -> (Self, Driver) {
        let subprotocol = web_socket.subprotocol().map(Box::from);
        let (shared, state) = (Shared::alone(config), State::Socket(web_socket));
        let link = Link::new(transport, &runtime, Info::default(), shared, state);
        (Self::new(Arc::clone(&link), subprotocol), Driver::new(link))
    }

    fn link(&self) -> &Arc<Link> {
        self.send.link()
    }

    pub(super) fn send_half(&mut self) -> &mut SendHalf {
        &mut self.send
    }

    /// The agreed subprotocol.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The address of the other side.
    pub fn peer_address(&self) -> &Address {
        &self.link().info.peer
    }

    /// The address of this side.
    pub fn local_address(&self) -> &Address {
        &self.link().info.local
    }

    /// The fact of type `T` that a layer of the connection knows, such as `tls::TlsInfo`. `None` if none does.
    pub fn info<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.link().info.get()
    }

    /// True if the connection uses TLS.
    pub fn is_secure(&self) -> bool {
        self.link().info.is_secure
    }

    /// Sets the pace that the peer must keep within a message, instead of
    /// [`SocketLimits::message_pace`](super::SocketLimits::message_pace), for example if the messages of this socket come in pieces
    /// over hours.
    pub fn set_message_pace(&mut self, pace: Pace) {
        self.recv.set_message_pace(pace);
    }

    /// Sets the pace at which the peer must take what is sent, instead of
    /// [`OutboxLimits::pace`](endwell_core::OutboxLimits::pace), for example for a device that sleeps.
    pub fn set_output_pace(&mut self, pace: Pace) {
        self.send.set_output_pace(pace);
    }

    /// Receives the next text or binary message. Pings, pongs and the peer's Close are answered and not returned. `None`:
    /// nothing more will come, and [`close`](Self::close) returns why.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a message that was not returned is returned by the next call.
    pub fn receive_data(&mut self) -> ReceiveData<'_> {
        self.recv.receive_data()
    }

    /// Receives the next message. Pings, pongs and the peer's Close are returned too, already answered: also the pongs that
    /// answer keep-alive pings. `None`: nothing more will come, and [`close`](Self::close) returns why.
    ///
    /// [`receive_data`](Self::receive_data) returns what the application of the peer has sent, and nothing else.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a message that was not returned is returned by the next call.
    #[inline]
    pub fn receive(&mut self) -> Receive<'_> {
        self.recv.receive()
    }

    /// Passes every event to `on_event`, borrowed from the receive buffer and with the means to reply, until nothing
    /// more will come. The fastest way: an echoed message is copied once.
    ///
    /// While replies are queued and the queue is above
    /// [`OutboxLimits::high_water`](endwell_core::OutboxLimits::high_water), it waits for the peer to take some of it
    /// first.
    ///
    /// The connection is locked while `on_event` runs: it must not block, nor use the other half of this socket. It can
    /// use outlets without waiting: [`Outlet::try_send`], and [`Outlet::deliver`] with [`now`](super::Deliver::now).
    ///
    /// # Panics
    ///
    /// If `on_event` uses the other half of this socket, or `blocking::block_on`: it would wait for itself.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn for_each<F>(&mut self, on_event: F) -> ForEach<'_, F>
    where
        F: FnMut(Event<'_>, Reply<'_>) + Unpin,
    {
        self.recv.for_each(on_event)
    }

    /// Receives the next message in pieces as they arrive: of any size up to
    /// [`SocketLimits::streamed_bytes`](super::SocketLimits::streamed_bytes), through constant memory, with back-pressure on the
    /// peer. Control frames are answered and not returned. `None`: nothing more will come.
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

    /// Sends a message: waits for room, then queues it whole. It is written when the connection's task waits for
    /// anything.
    ///
    /// A received ping, pong or Close is not sent back, since it is already answered. A message larger than
    /// [`OutboxLimits::bytes`](endwell_core::OutboxLimits::bytes) waits until the queue is empty.
    ///
    /// # Errors
    ///
    /// Returns the message if the connection is closing or has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a future that is dropped before it is ready has sent nothing. One that is kept returns the message
    /// ([`SendMessage::into_message`]).
    #[inline]
    pub fn send(&mut self, message: impl Into<Message>) -> SendMessage<'_> {
        self.send.send(message)
    }

    /// Starts a message that is sent in pieces. Until it is finished, no other message can be sent, and messages of
    /// outlets wait; pings and pongs go between its pieces. It is compressed if compression was agreed on.
    pub fn send_pieces(&mut self, kind: Kind) -> MessageWriter<'_> {
        self.send.send_pieces(kind)
    }

    /// Starts a message in pieces like [`send_pieces`](Self::send_pieces), and sets whether it is compressed,
    /// whatever its size.
    #[cfg(feature = "deflate")]
    pub fn send_pieces_with(&mut self, kind: Kind, compression: super::Compression) -> MessageWriter<'_> {
        self.send.send_pieces_with(kind, compression)
    }

    /// True if compression was agreed on and the connection is open.
    #[cfg(feature = "deflate")]
    pub fn deflates(&self) -> bool {
        self.send.deflates()
    }

    /// Sends a ping now.
    ///
    /// # Errors
    ///
    /// Returns the payload if the connection is closing, or even the reserve for control frames is full.
    pub fn ping<'p>(&mut self, payload: Control<'p>) -> Result<(), Full<Control<'p>>> {
        self.send.ping(payload)
    }

    /// Waits until the transport has taken everything that is queued, including messages of outlets. So it does not
    /// return while outlets keep sending; [`Outlet::flush`] does. Without a flush, output is written when the
    /// connection's task waits for anything.
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

    /// Makes a handle for many producers. Clone it for each: each sends whole messages, in the order in which they were
    /// accepted, and cannot close within another's message. All outlets of a socket share one queue, within
    /// [`OutletLimits`](super::OutletLimits).
    pub fn outlet(&self) -> Outlet {
        self.send.outlet()
    }

    /// Splits the socket into two halves for two tasks. Neither waits for the other.
    pub fn split(self) -> (SendHalf, ReceiveHalf) {
        (self.send, self.recv)
    }

    /// Turns the socket into a `futures::Stream` and `futures::Sink` of messages.
    #[cfg(feature = "futures")]
    pub fn into_messages(self) -> Messages {
        Messages::new(self)
    }

    /// Turns the socket into a byte stream over binary messages.
    pub fn into_byte_stream(self) -> ByteStream {
        ByteStream::new(self)
    }

    /// Closes the connection: sends our Close, unless the peer's was answered, waits for the peer's within
    /// [`SocketLimits::close_time`](super::SocketLimits::close_time), and returns how the connection ended. Everything accepted
    /// before, also by outlets, is sent first; outlets accept nothing from now on. Received messages that were not
    /// returned yet are discarded.
    ///
    /// # Cancel safety
    ///
    /// The Close is queued when this is *called*. Dropping the future only loses the result: the connection's task
    /// finishes the close.
    pub fn close(self, close: impl Into<Close>) -> CloseSocket {
        self.send.close(close)
    }

    /// Closes as [`close`](Self::close) does, and goes on receiving: returns the half that receives what the peer still
    /// sends before its own Close.
    ///
    /// ```no_run
    /// # async fn f(socket: endwell::ws::Socket) {
    /// use endwell::ws::CloseCode;
    ///
    /// let mut rest = socket.close_writing(CloseCode::NORMAL);
    /// while let Some(message) = rest.receive().await {
    ///     println!("{message:?}");
    /// }
    /// println!("{}", rest.closed().await);
    /// # }
    /// ```
    pub fn close_writing(self, close: impl Into<Close>) -> ReceiveHalf {
        let (send, receive) = self.split();
        send.close_writing(close);
        receive
    }

    /// Splits the socket into the byte stream and the protocol, for the caller to drive. The handler
    /// returns how the connection ended. `None` if the connection is closing, or a message was begun and not finished;
    /// it is then closed as if the socket was dropped. Messages that outlets have accepted are no longer sent;
    /// [`Outlet::unsent`] returns them.
    pub fn into_parts(self) -> Option<(Upgraded, core_ws::Socket)> {
        let socket = self.link().lock().release_socket()?;
        Some((Upgraded::new(Arc::clone(self.link())), socket))
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("peer", self.peer_address()).finish_non_exhaustive()
    }
}
