//! Another protocol takes the connection.

use core::fmt;

use super::exchange::Exchange;
use crate::Outbox;
use crate::http::head::{self, Announced, Connection};
use crate::http::{Date, FieldSection, Head, Method, StatusCode, Version};

/// Why an exchange cannot be given to another protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotSwitched {
    /// The request does not offer this protocol, or not as an option of its Connection field.
    NotOffered,
    /// Upgrade is ignored in HTTP/1.0 (RFC 9110 7.8).
    Version,
    /// The request is not a CONNECT.
    NotConnect,
    /// Content of the request is still to come: read it first, or answer.
    Content,
}

impl fmt::Display for NotSwitched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOffered => "expected the protocol in Upgrade and `upgrade` in Connection (RFC 9110 7.8)",
            Self::Version => "expected HTTP/1.1, since Upgrade is ignored in HTTP/1.0 (RFC 9110 7.8)",
            Self::NotConnect => "expected a CONNECT request (RFC 9110 9.3.6)",
            Self::Content => "expected a request whose content has been read (RFC 9110 7.8)",
        })
    }
}

impl core::error::Error for NotSwitched {}

impl NotSwitched {
    pub(super) fn check_switch(exchange: &Exchange, protocol: &str) -> Option<Self> {
        let fields = exchange.head.fields();
        if exchange.head.version() == Version::Http10 {
            return Some(Self::Version);
        }
        let offered =
            fields.list_contains("connection", "upgrade") && fields.list_contains("upgrade", protocol);
        if !offered || exchange.head.method() == Method::Connect {
            return Some(Self::NotOffered);
        }
        (!exchange.recv.is_done()).then_some(Self::Content)
    }

    pub(super) fn check_tunnel(exchange: &Exchange) -> Option<Self> {
        if exchange.head.method() != Method::Connect {
            return Some(Self::NotConnect);
        }
        (!exchange.recv.is_done()).then_some(Self::Content)
    }
}

/// A 2xx to CONNECT, with `fields`.
pub(super) fn write_tunnel(fields: &FieldSection, date: Option<&Date>, out: &mut Outbox) {
    let mut head = Head::new(StatusCode::OK);
    head.fields_mut().append(fields);
    // RFC 9110 9.3.6: neither length nor transfer coding in a 2xx to CONNECT.
    head::write_final(&head, Announced::Nothing, Connection::Keep, date, out);
}

/// A 101 that switches to `protocol`, which was found among what the request offers, with `fields`.
pub(crate) fn write_switch(protocol: &str, fields: &FieldSection, date: Option<&Date>, out: &mut Outbox) {
    head::status_line(101, "Switching Protocols", out);
    out.put(b"connection: upgrade\r\nupgrade: ");
    out.put(protocol.as_bytes());
    out.put(b"\r\n");
    if let Some(date) = date {
        out.put(b"date: ");
        out.put(date.as_bytes());
        out.put(b"\r\n");
    }
    out.put(fields.as_bytes());
    out.put(b"\r\n");
}
