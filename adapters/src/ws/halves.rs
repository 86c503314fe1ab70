//! The two halves of a socket, for two tasks.

use std::fmt;
use std::sync::Arc;

use endwell_core::Pace;
use endwell_core::ws::Event;
use endwell_core::ws::{Close, CloseCode, Control, Full, Kind};

use super::close::CloseSocket;
use super::flush::Flush;
use super::message::Message;
use super::message_reader::ReceivePieces;
use super::message_writer::MessageWriter;
use super::outlet::{Outlet, Queue};
use super::receive::{ForEach, Receive, ReceiveData, Reply};
use super::send::SendMessage;
use crate::connection::{Connection, Link};
use crate::info::Address;

/// The right to write to a WebSocket: one half of [`Socket::split`](super::Socket::split).
///
/// [`close`](Self::close) ends it. If it is dropped instead, the peer receives 1011 after everything that was accepted,
/// and the connection closes in order.
///
/// Sending after the close does not compile:
///
/// ```compile_fail,E0382
/// # async fn f(mut half: endwell::ws::SendHalf) {
/// let ended = half.close(endwell::ws::Close::EMPTY);
/// half.send("more").await;
/// # }
/// ```
#[must_use = "a send half that is dropped closes with 1011"]
pub struct SendHalf {
    link: Arc<Link>,
}

/// The receiving side of a WebSocket: one half of [`Socket::split`](super::Socket::split).
///
/// The connection's task answers pings and the peer's Close, whatever the [`SendHalf`] does. If this half is dropped,
/// what the peer sends from then on is read and discarded, so that pings are still answered.
#[must_use = "what the peer sends is thrown away if it is dropped"]
pub struct ReceiveHalf {
    link: Arc<Link>,
}

impl SendHalf {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self { link }
    }

    pub(super) fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// The address of the other side.
    pub fn peer_address(&self) -> &Address {
        &self.link.info.peer
    }

    /// Sets the pace at which the peer must take what is sent:
    /// [`Socket::set_output_pace`](super::Socket::set_output_pace).
    pub fn set_output_pace(&mut self, pace: Pace) {
        self.link.lock().set_output_pace(pace);
    }

    /// Sends a message: [`Socket::send`](super::Socket::send).
    ///
    /// # Errors
    ///
    /// Returns the message if the connection is closing or has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, like [`Socket::send`](super::Socket::send).
    #[inline]
    pub fn send(&mut self, message: impl Into<Message>) -> SendMessage<'_> {
        SendMessage { half: self, message: Some(message.into()) }
    }

    /// Starts a message in pieces: [`Socket::send_pieces`](super::Socket::send_pieces).
    pub fn send_pieces(&mut self, kind: Kind) -> MessageWriter<'_> {
        self.link.lock().begin_message(|socket| socket.begin(kind));
        MessageWriter::new(self)
    }

    /// Starts a message in pieces, and sets whether it is compressed:
    /// [`Socket::send_pieces_with`](super::Socket::send_pieces_with).
    #[cfg(feature = "deflate")]
    pub fn send_pieces_with(&mut self, kind: Kind, compression: super::Compression) -> MessageWriter<'_> {
        self.link.lock().begin_message(|socket| socket.begin_with(kind, compression));
        MessageWriter::new(self)
    }

    /// True if compression was agreed on and the connection is open.
    #[cfg(feature = "deflate")]
    pub fn deflates(&self) -> bool {
        self.link.lock().state.deflates()
    }

    /// Sends a ping now: [`Socket::ping`](super::Socket::ping).
    ///
    /// # Errors
    ///
    /// Returns the payload if the connection is closing, or even the reserve for control frames is full.
    pub fn ping<'p>(&mut self, payload: Control<'p>) -> Result<(), Full<Control<'p>>> {
        let mut connection = self.link.lock();
        connection.state.ping(payload)?;
        connection.leave_to_driver();
        Ok(())
    }

    /// Waits until the transport has taken everything: [`Socket::flush`](super::Socket::flush).
    ///
    /// # Errors
    ///
    /// The connection has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn flush(&mut self) -> Flush<'_> {
        Flush { half: self }
    }

    /// Makes a handle for many producers: [`Socket::outlet`](super::Socket::outlet).
    pub fn outlet(&self) -> Outlet {
        let mut connection = self.link.lock();
        let Connection { queue, state, .. } = &mut *connection;
        let queue = match queue {
            Some(queue) => Arc::clone(queue),
            None => Arc::clone(queue.insert(Arc::new(Queue::new(&self.link)))),
        };
        if !state.is_socket() {
            connection.tell_outlets();
        }
        connection.leave_to_driver();
        Outlet::new(queue)
    }

    /// Sends a Close after everything that was accepted, also by outlets, and ends the right to send. The [`ReceiveHalf`]
    /// receives what the peer still sends before its own Close. The peer has
    /// [`SocketLimits::close_time`](super::SocketLimits::close_time) for that, counted in silence.
    pub fn close_writing(self, close: impl Into<Close>) {
        self.link.lock().close_writing(close.into());
    }

    /// Closes the connection after everything that was accepted: [`Socket::close`](super::Socket::close). The
    /// [`ReceiveHalf`] receives nothing from then on.
    ///
    /// # Cancel safety
    ///
    /// Like [`Socket::close`](super::Socket::close).
    pub fn close(self, close: impl Into<Close>) -> CloseSocket {
        self.link.lock().close_socket(close.into());
        CloseSocket::new(Arc::clone(&self.link))
    }
}

impl Drop for SendHalf {
    fn drop(&mut self) {
        self.link.lock().close_socket(CloseCode::INTERNAL_ERROR.into());
    }
}

impl ReceiveHalf {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self { link }
    }

    pub(super) fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// The address of the other side.
    pub fn peer_address(&self) -> &Address {
        &self.link.info.peer
    }

    /// Sets the pace of messages: [`Socket::set_message_pace`](super::Socket::set_message_pace).
    pub fn set_message_pace(&mut self, pace: Pace) {
        self.link.lock().set_message_pace(pace);
    }

    /// Receives the next text or binary message: [`Socket::receive_data`](super::Socket::receive_data).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a message that was not returned is returned by the next call.
    pub fn receive_data(&mut self) -> ReceiveData<'_> {
        ReceiveData { half: self }
    }

    /// Receives the next message: [`Socket::receive`](super::Socket::receive).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a message that was not returned is returned by the next call.
    #[inline]
    pub fn receive(&mut self) -> Receive<'_> {
        Receive { half: self }
    }

    /// Passes every event to `on_event`: [`Socket::for_each`](super::Socket::for_each). The connection is locked while
    /// `on_event` runs: it must not block, nor use, close or drop the [`SendHalf`]. It can use outlets without waiting.
    ///
    /// # Panics
    ///
    /// If `on_event` uses the [`SendHalf`] of this socket, or `blocking::block_on`: it would wait for itself.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn for_each<F>(&mut self, on_event: F) -> ForEach<'_, F>
    where
        F: FnMut(Event<'_>, Reply<'_>) + Unpin,
    {
        ForEach::new(self, on_event)
    }

    /// Receives the next message in pieces: [`Socket::receive_pieces`](super::Socket::receive_pieces).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a message that was not returned is returned by the next call.
    pub fn receive_pieces(&mut self) -> ReceivePieces<'_> {
        ReceivePieces::new(self)
    }

    /// Waits until the connection has ended, and returns how. What the peer still sends is discarded.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future only loses the result.
    pub fn closed(self) -> CloseSocket {
        CloseSocket::new(Arc::clone(&self.link))
    }
}

impl Drop for ReceiveHalf {
    fn drop(&mut self) {
        self.link.lock().discard_input();
    }
}

impl fmt::Debug for SendHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendHalf").field("peer", self.peer_address()).finish_non_exhaustive()
    }
}

impl fmt::Debug for ReceiveHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiveHalf").field("peer", self.peer_address()).finish_non_exhaustive()
    }
}
