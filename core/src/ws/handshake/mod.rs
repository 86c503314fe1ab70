//! The opening handshake, in both roles. RFC 6455 4.

pub(crate) mod acceptance;
pub(crate) mod client;
mod elsewhere;
pub(crate) mod key;
pub(crate) mod offer;
pub(crate) mod origin;
pub(crate) mod refusal;
mod server;
pub(crate) mod subprotocol;
