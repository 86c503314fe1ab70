//! Hands the connection to another protocol.

use core::fmt;

use super::exchange::Exchange;
use super::{Inner, closing_grace};
use crate::http::sent::framing::Announced;
use crate::http::sent::response;
use crate::http::sent::response::Connection;
use crate::http::{Date, FieldSection, Method, RequestHead, Response, StatusCode, Version};
use crate::{Outbox, Upgraded};

impl Exchange {
    /// Switches to `protocol`, one of those that the request's Upgrade field offers. Writes a 101 with `fields`. RFC
    /// 9110 7.8.
    ///
    /// # Errors
    ///
    /// Returns the exchange, to be answered, with the reason why it cannot be switched.
    pub fn switch(
        self,
        protocol: &str,
        fields: &FieldSection,
        date: Option<&Date>,
    ) -> Result<Upgraded, (NotSwitched, Self)> {
        let is_whole = !self.has_content_to_come();
        let refused = match self.asks() {
            None => Some(NotSwitched::NotOffered),
            Some(head) => NotSwitched::check_switch(head, is_whole, protocol),
        };
        if let Some(reason) = refused {
            return Err((reason, self));
        }
        let mut inner = self.into_inner();
        write_switch(protocol, fields, date, &mut inner.conn.outbox);
        Ok(upgraded(inner))
    }

    /// Opens the tunnel that a CONNECT asks for. Writes a 200 with `fields`. RFC 9110 9.3.6.
    ///
    /// # Errors
    ///
    /// Returns the exchange, to be answered, if the request is not a CONNECT or has content.
    pub fn tunnel(self, fields: &FieldSection, date: Option<&Date>) -> Result<Upgraded, (NotSwitched, Self)> {
        let is_whole = !self.has_content_to_come();
        let refused = match self.asks() {
            None => Some(NotSwitched::NotConnect),
            Some(head) => NotSwitched::check_tunnel(head, is_whole),
        };
        if let Some(reason) = refused {
            return Err((reason, self));
        }
        let mut inner = self.into_inner();
        write_tunnel(fields, date, &mut inner.conn.outbox);
        Ok(upgraded(inner))
    }
}

fn upgraded(inner: Inner) -> Upgraded {
    let grace = closing_grace(&inner);
    Upgraded::new(inner.conn, grace)
}

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
    fn check_switch(head: &RequestHead, is_whole: bool, protocol: &str) -> Option<Self> {
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
    fn check_tunnel(head: &RequestHead, is_whole: bool) -> Option<Self> {
        if head.method() != Method::Connect {
            return Some(Self::NotConnect);
        }
        (!is_whole).then_some(Self::Content)
    }
}

/// Writes a 2xx to CONNECT, with `fields`.
fn write_tunnel(fields: &FieldSection, date: Option<&Date>, out: &mut Outbox) {
    let mut head = Response::new(StatusCode::OK);
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
