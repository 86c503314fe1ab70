//! Sends messages, whole or in pieces. RFC 6455 5.4 to 5.6.

pub(crate) mod frame;
pub(crate) mod message;
pub(crate) mod sender;
