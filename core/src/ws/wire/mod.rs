//! What frames are made of, in either direction. RFC 6455 5.

pub(crate) mod close;
pub(crate) mod control;
pub(crate) mod header;
pub(crate) mod kind;
pub(crate) mod mask;
pub(crate) mod utf8;
