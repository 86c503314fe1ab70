//! The opening handshake, in both roles. RFC 6455 4.

pub(crate) mod client;
pub(crate) mod key;
pub(crate) mod offer;
pub(crate) mod origin;
pub(crate) mod server;
pub(crate) mod subprotocol;
