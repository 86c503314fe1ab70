//! Receives messages: whole, in pieces, or discarded. RFC 6455 5.4 to 5.6.

pub(crate) mod compressed;
pub(crate) mod discarded;
pub(crate) mod engine;
pub(crate) mod keep_alive;
pub(crate) mod piece;
pub(crate) mod ready;
pub(crate) mod reassembly;
pub(crate) mod streaming;
pub(crate) mod text;
