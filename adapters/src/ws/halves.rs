//! The two halves of a socket, for two tasks.

use std::fmt;
use std::sync::Arc;

use endwell_core::Pace;
use endwell_core::ws::{Close, CloseCode, Control, Full, Kind, SessionEvent, Writing};

use super::close::CloseSocket;
use super::flush::Flush;
use super::fragments::Fragments;
use super::message::Message;
use super::outlet::{Outlet, Queue};
use super::pieces::ReceivePieces;
use super::receive::{ForEach, Receive, Reply};
use super::send::Send;
use crate::transport::Address;
use crate::wire::{Link, SocketState, Wire};

/// The right to write to a WebSocket: of [`Socket::split`](super::Socket::split).
///
/// It ends in [`close`](Self::close). If it is dropped instead, the peer is told 1011 and the connection closes in order,
/// behind all that was accepted.
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

/// The receiving side of a WebSocket: of [`Socket::split`](super::Socket::split).
///
/// Pings and the peer's Close are answered by the connection's task, whatever the [`SendHalf`] does. If it is dropped,
/// what the peer sends from then on is read and thrown away, so that pings are still answered.
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
        &self.link.endpoints.peer
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
    /// The connection is closing or has ended; the message comes back.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`Socket::send`](super::Socket::send).
    #[inline]
    pub fn send(&mut self, message: impl Into<Message>) -> Send<'_> {
        Send { half: self, message: Some(message.into()) }
    }

    /// Starts a message in pieces: [`Socket::send_fragments`](super::Socket::send_fragments).
    pub fn send_fragments(&mut self, kind: Kind) -> Fragments<'_> {
        if let SocketState::Open(session) = &mut self.link.lock().socket {
            let _ = session.start(kind);
        }
        Fragments::new(self)
    }

    /// Starts a message in pieces, and says whether it is compressed:
    /// [`Socket::send_fragments_with`](super::Socket::send_fragments_with).
    #[cfg(feature = "deflate")]
    pub fn send_fragments_with(&mut self, kind: Kind, compression: super::Compression) -> Fragments<'_> {
        if let SocketState::Open(session) = &mut self.link.lock().socket {
            let _ = session.start_with(kind, compression);
        }
        Fragments::new(self)
    }

    /// True if compression was agreed on, and the connection is open.
    #[cfg(feature = "deflate")]
    pub fn deflates(&self) -> bool {
        match &self.link.lock().socket {
            SocketState::Open(session) => session.deflates(),
            SocketState::None | SocketState::Closing(_) | SocketState::Over(_) => false,
        }
    }

    /// Sends a ping now: [`Socket::ping`](super::Socket::ping).
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

    /// A handle that can be cloned, for many producers: [`Socket::outlet`](super::Socket::outlet).
    pub fn outlet(&self) -> Outlet {
        let mut wire = self.link.lock();
        let Wire { queue, socket, .. } = &mut *wire;
        let queue = match queue {
            Some(queue) => Arc::clone(queue),
            None => Arc::clone(queue.insert(Arc::new(Queue::new(self.link.hub.outlet_limits)))),
        };
        if !matches!(socket, SocketState::Open(_)) {
            wire.tell_outlets();
        }
        wire.leave_to_driver();
        Outlet::new(queue)
    }

    /// Closes, behind all that was accepted: [`Socket::close`](super::Socket::close). From then on the [`ReceiveHalf`]
    /// gives out what the connection's task has received ahead, and nothing else that the peer has sent.
    ///
    /// # Cancel safety
    ///
    /// As [`Socket::close`](super::Socket::close).
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
        &self.link.endpoints.peer
    }

    /// Sets the pace of messages: [`Socket::set_message_pace`](super::Socket::set_message_pace).
    pub fn set_message_pace(&mut self, pace: Pace) {
        self.link.lock().set_message_pace(pace);
    }

    /// The next message: [`Socket::receive`](super::Socket::receive).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was not returned is returned by the next call.
    #[inline]
    pub fn receive(&mut self) -> Receive<'_> {
        Receive { half: self, waits: false }
    }

    /// Hands every event to `on_event`: [`Socket::for_each`](super::Socket::for_each). The connection is locked while
    /// `on_event` runs: it must not use, close or drop the [`SendHalf`], which would wait for itself. Outlets it can use.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn for_each<F>(&mut self, on_event: F) -> ForEach<'_, F>
    where
        F: FnMut(SessionEvent<'_>, Reply<'_>) + Unpin,
    {
        ForEach::new(self, on_event)
    }

    /// The next message in pieces: [`Socket::receive_pieces`](super::Socket::receive_pieces).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a message that was not returned is returned by the next call.
    pub fn receive_pieces(&mut self) -> ReceivePieces<'_> {
        ReceivePieces::new(self)
    }

    /// Lets the connection's task read ahead: [`Socket::drive`](super::Socket::drive).
    pub fn drive(&mut self, ahead: ReadAhead) {
        self.link.lock().read_ahead(ahead);
    }

    /// Waits until the connection has ended, and says how. What the peer still sends is thrown away.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped loses only the story.
    pub fn closed(self) -> CloseSocket {
        CloseSocket::new(Arc::clone(&self.link))
    }
}

impl Drop for ReceiveHalf {
    fn drop(&mut self) {
        self.link.lock().discard_input();
    }
}

/// What the connection's task may receive before it is asked for: see [`Socket::drive`](super::Socket::drive).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadAhead {
    /// Messages, pings and pongs among them; one at the least. Default 64: a few round trips of an application that
    /// answers each.
    pub messages: usize,
    /// Bytes of them. Default 64 KiB, what one read takes. The message that passes it is still taken.
    pub bytes: usize,
}

impl Default for ReadAhead {
    fn default() -> Self {
        Self { messages: 64, bytes: 64 << 10 }
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
