//! Receives messages: whole, in pieces, or discarded. RFC 6455 5.4 to 5.6.

pub(crate) mod ahead;
pub(crate) mod content;
pub(crate) mod counts;
pub(crate) mod discarded;
pub(crate) mod engine;
pub(crate) mod event;
pub(crate) mod keep_alive;
pub(crate) mod message;
pub(crate) mod payload;
pub(crate) mod ready;
pub(crate) mod text;
pub(crate) mod wait;
