//! Whether a connection stays open after a message. RFC 9112 9.3.

use crate::http::{Fields, Version};

/// Whether a connection stays open after a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Persistence {
    Keep,
    Close,
}

impl Persistence {
    /// Reads a message's version and Connection field, in the order of RFC 9112 9.3.
    pub(in crate::http) fn of(version: Version, fields: &Fields) -> Self {
        let option = |option| fields.list_contains("connection", option);
        match version {
            _ if option("close") => Self::Close,
            Version::Http11 => Self::Keep,
            Version::Http10 if option("keep-alive") => Self::Keep,
            Version::Http10 => Self::Close,
        }
    }
}
