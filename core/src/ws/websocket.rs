//! An open WebSocket.

use alloc::boxed::Box;
use alloc::sync::Arc;
use bytes::Bytes;

use super::limits::Limits;
use super::session::Session;
use crate::Inbox;
use crate::ws::receive::keep_alive::Jitter;
use crate::ws::receive::receiver::Receiver;
use crate::ws::send::sender::Sender;
use crate::ws::wire::header::Peer;
use crate::ws::wire::mask::Masks;

/// An open WebSocket: the handshake is complete.
///
/// Take it apart to use `recv` and `send` side by side, or make it a [`Session`].
#[derive(Debug)]
#[must_use = "dropping it drops the connection"]
pub struct WebSocket {
    /// The receiving half.
    pub recv: Receiver,
    /// The right to write.
    pub send: Sender,
    /// The agreed subprotocol.
    pub subprotocol: Option<Box<str>>,
}

/// The role of this end of the connection. RFC 6455 5.1.
#[derive(Debug)]
pub enum Role {
    /// A client. It masks each frame with its own key, and accepts only unmasked frames.
    Client(Masks),
    /// A server. It accepts only masked frames, and masks no frame. It closes TCP first.
    Server,
}

impl WebSocket {
    /// Makes a WebSocket whose handshake was done elsewhere. `leftover` holds the bytes that arrived after the
    /// handshake, which are received first.
    pub fn from_parts(
        role: Role,
        leftover: Bytes,
        limits: Arc<Limits>,
        jitter: Jitter,
        subprotocol: Option<Box<str>>,
    ) -> Self {
        let inbox = Inbox::with_leftover(leftover, limits.received());
        Self::new(inbox, role, limits, jitter, subprotocol)
    }

    pub(super) fn new(
        inbox: Inbox,
        role: Role,
        limits: Arc<Limits>,
        jitter: Jitter,
        subprotocol: Option<Box<str>>,
    ) -> Self {
        let (peer, masks) = match role {
            Role::Client(masks) => (Peer::Server, Some(masks)),
            Role::Server => (Peer::Client, None),
        };
        let recv = Receiver::new(inbox, peer, limits, jitter);
        Self { recv, send: Sender::new(masks), subprotocol }
    }

    /// Compresses messages from now on, as agreed in a handshake that was done elsewhere. A handshake of this crate
    /// sets this itself.
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, agreement: &super::Agreement) -> Self {
        self.recv.engine.deflate = Some(super::deflate::Receiving::new(agreement));
        self.send.compress(agreement);
        self
    }

    /// Joins both halves in one value that answers pings and Close by itself.
    pub fn session(self) -> Session {
        Session::new(self)
    }
}
