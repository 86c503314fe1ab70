//! Messages that have arrived: heads, fields and bodies.

pub(crate) mod body;
pub(crate) mod chunked;
mod elsewhere;
pub(crate) mod fields;
pub(crate) mod length;
pub(crate) mod persistence;
pub(crate) mod progress;
pub(crate) mod request;
pub(crate) mod response;
