//! A WebSocket that is open.

use alloc::boxed::Box;
use alloc::sync::Arc;
use bytes::Bytes;

use super::frame::Peer;
use super::keep_alive::Jitter;
use super::limits::Limits;
use super::mask::Masks;
use super::receiver::Receiver;
use super::sender::Sender;
use super::session::Session;
use crate::Inbox;

/// A WebSocket that is open: the handshake is done.
///
/// Take it apart and use `recv` and `send` side by side, or make it a [`Session`].
#[derive(Debug)]
#[must_use = "dropping it drops the connection"]
pub struct WebSocket {
    /// The receiving half.
    pub recv: Receiver,
    /// The right to write.
    pub send: Sender,
    /// The subprotocol that was agreed on.
    pub subprotocol: Option<Box<str>>,
}

/// Which end of the connection this is. RFC 6455 5.1.
#[derive(Debug)]
pub enum Role {
    /// It masks what it sends, each frame with a key of its own, and takes frames without a mask only.
    Client(Masks),
    /// It takes masked frames only, and masks nothing. It closes TCP first.
    Server,
}

impl WebSocket {
    /// A WebSocket whose handshake somebody else has done. `leftover` is what arrived behind the handshake, and its
    /// bytes are received first.
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

    /// The same, and messages may be compressed from now on, as was agreed on in a handshake that somebody else has done. One
    /// that this crate has done says so itself.
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, agreement: &super::Agreement) -> Self {
        self.recv.deflate = Some(super::deflate::Receiving::new(agreement));
        self.send.compress(agreement);
        self
    }

    /// Both halves in one value that answers pings and Close by itself.
    pub fn session(self) -> Session {
        Session::new(self)
    }
}
