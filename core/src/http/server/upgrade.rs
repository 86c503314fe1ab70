//! Another protocol takes the connection.

use alloc::boxed::Box;
use bytes::Bytes;
use core::fmt;

use super::exchange::Exchange;
use crate::http::head::{self, Announced, Connection};
use crate::http::{Date, FieldSection, Head, Method, StatusCode, Version};
use crate::{Inbox, Outbox};

/// A connection that speaks another protocol from here on.
///
/// Its answer is in the outbox; what arrived behind the request is here.
#[derive(Debug)]
#[must_use = "it holds the bytes behind the request"]
pub struct Upgraded {
    inbox: Box<Inbox>,
}

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

impl Upgraded {
    /// `protocol` was found among what the request offers, so it is made of its bytes.
    pub(super) fn switched(
        inbox: Box<Inbox>,
        protocol: &str,
        fields: &FieldSection,
        date: Option<&Date>,
        out: &mut Outbox,
    ) -> Self {
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
        Self { inbox }
    }

    pub(super) fn tunnelled(
        inbox: Box<Inbox>,
        fields: &FieldSection,
        date: Option<&Date>,
        out: &mut Outbox,
    ) -> Self {
        let mut head = Head::new(StatusCode::OK);
        head.fields_mut().append(fields);
        // RFC 9110 9.3.6: neither length nor transfer coding in a 2xx to CONNECT.
        head::write_final(&head, Announced::Nothing, Connection::Keep, date, out);
        Self { inbox }
    }

    /// The bytes behind the request: the first of the new protocol.
    pub fn leftover(&self) -> &[u8] {
        self.inbox.unread()
    }

    /// True if the stream has ended behind the leftover.
    pub fn has_ended(&self) -> bool {
        self.inbox.has_ended()
    }

    /// The bytes behind the request, owned.
    pub fn into_leftover(mut self) -> Bytes {
        let len = self.inbox.len();
        self.inbox.payload(len).take()
    }
}
