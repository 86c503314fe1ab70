//! Messages to send: heads, fields and bodies.

pub(crate) mod body;
pub(crate) mod field;
pub(crate) mod framing;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod upgrade;
