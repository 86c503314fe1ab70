//! How the length of a body to send is announced. RFC 9112 6.

use crate::Outbox;

/// How the length of a body that is written in pieces is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// The length is known from the start, in bytes. Exactly that much must be written.
    Length(u64),
    /// The length is unknown. The body is chunked, or in a response to HTTP/1.0 ends with the connection.
    Chunked,
}

/// What a head announces about its body.
#[derive(Clone, Copy)]
pub(in crate::http) enum Announced {
    Length(u64),
    Chunked,
    /// Nothing: there is no body, or it lasts until the close.
    Nothing,
}

impl Announced {
    pub(in crate::http) fn write(self, out: &mut Outbox) {
        match self {
            Self::Length(length) => {
                out.put(b"content-length: ");
                out.put_decimal(length);
                out.put(b"\r\n");
            }
            Self::Chunked => out.put(b"transfer-encoding: chunked\r\n"),
            Self::Nothing => {}
        }
    }
}
