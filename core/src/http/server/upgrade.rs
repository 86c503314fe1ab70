//! Hands the connection to another protocol.

use core::fmt;

use crate::Outbox;
use crate::http::sent::framing::Announced;
use crate::http::sent::response;
use crate::http::sent::response::Connection;
use crate::http::{Date, FieldSection, Head, Method, Request, StatusCode, Version};

/// Why an exchange cannot be handed to another protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotSwitched {
    /// The request does not offer this protocol, or its Connection field lacks the upgrade option.
    NotOffered,
    /// Upgrade is ignored in HTTP/1.0 (RFC 9110 7.8).
    Version,
    /// The request is not a CONNECT.
    NotConnect,
    /// Content of the request is still to come: read it first, or respond.
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
    /// `is_whole`: the content of the request was received to its end.
    pub(in crate::http) fn check_switch(head: &Request, is_whole: bool, protocol: &str) -> Option<Self> {
        let fields = head.fields();
        if head.version() == Version::Http10 {
            return Some(Self::Version);
        }
        let offered =
            fields.list_contains("connection", "upgrade") && fields.list_contains("upgrade", protocol);
        if !offered || head.method() == Method::Connect {
            return Some(Self::NotOffered);
        }
        (!is_whole).then_some(Self::Content)
    }

    /// `is_whole`: the content of the request was received to its end.
    pub(in crate::http) fn check_tunnel(head: &Request, is_whole: bool) -> Option<Self> {
        if head.method() != Method::Connect {
            return Some(Self::NotConnect);
        }
        (!is_whole).then_some(Self::Content)
    }
}

/// Writes a 2xx to CONNECT, with `fields`.
pub(in crate::http) fn write_tunnel(fields: &FieldSection, date: Option<&Date>, out: &mut Outbox) {
    let mut head = Head::new(StatusCode::OK);
    head.fields_mut().append(fields);
    // RFC 9110 9.3.6: a 2xx to CONNECT has neither a length nor a transfer coding.
    response::write_final(&head, Announced::Nothing, Connection::Keep, date, out);
}

/// Writes a 101 with `fields` that switches to `protocol`, one of those that the request offers.
pub(crate) fn write_switch(protocol: &str, fields: &FieldSection, date: Option<&Date>, out: &mut Outbox) {
    response::status_line(101, "Switching Protocols", out);
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
