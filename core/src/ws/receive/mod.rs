//! Receives messages, whole or in pieces. RFC 6455 5.4 to 5.6.

pub(crate) mod compressed;
pub(crate) mod engine;
pub(crate) mod keep_alive;
pub(crate) mod owed;
pub(crate) mod piece;
pub(crate) mod reassembly;
pub(crate) mod receiver;
pub(crate) mod streaming;
pub(crate) mod text;
