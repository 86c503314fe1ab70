//! What the peer is owed for what it sent, in the earlier form: the receiving half returns it, the sending half takes it.

use crate::ws::wire::close::Close;
use crate::ws::wire::control::Control;

/// A received Ping. [`Sender::pong`](crate::ws::Sender::pong) takes it and writes the Pong that it is owed.
///
/// It borrows from the inbox; [`into_owned`](Self::into_owned) makes it movable to another task.
#[derive(Debug)]
#[must_use = "a Ping is owed a Pong: give it to `Sender::pong`"]
pub struct Ping<'a>(pub(in crate::ws) Control<'a>);

impl Ping<'_> {
    /// The payload of the Ping, and of the Pong to come.
    pub fn payload(&self) -> &Control<'_> {
        &self.0
    }

    /// Copies the payload, so that the Ping owns it.
    pub fn into_owned(self) -> Ping<'static> {
        Ping(self.0.into_owned())
    }
}

/// A keep-alive ping is due. [`Sender::keep_alive`](crate::ws::Sender::keep_alive) takes this.
#[derive(Debug)]
#[must_use = "the peer is expected to answer this ping: give it to `Sender::keep_alive`"]
pub struct PingDue(pub(in crate::ws) ());

/// The peer's Close. [`Sender::answer`](crate::ws::Sender::answer) takes it and writes the answer that it is owed.
///
/// Until then writing stays legal: RFC 6455 5.5.1 forbids data only after *our* Close.
#[derive(Debug)]
#[must_use = "a Close is owed an answer: give it to `Sender::answer`"]
pub struct PeerClose(pub(in crate::ws) Close);

impl PeerClose {
    /// The content of the peer's Close.
    pub fn close(&self) -> &Close {
        &self.0
    }
}
