//! Heads to send.

use core::fmt;

use super::framing::Announced;
use crate::Outbox;
use crate::http::{Date, Field, FieldSection, InvalidField, StatusCode};

/// The head of a final response: a status and fields. The fields that frame the message and manage the connection are
/// added when it is sent.
///
/// ```
/// use endwell_core::http::{Field, Response, StatusCode};
///
/// let head = Response::new(StatusCode::OK).with(Field::from_static("content-type", "text/plain"));
/// assert_eq!(head.status(), StatusCode::OK);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    status: StatusCode,
    fields: FieldSection,
    /// The protocol that the client may upgrade to.
    offers: Option<&'static str>,
}

impl Response {
    /// Makes a head without fields. A received status that is not [valid](StatusCode::is_valid) becomes 502.
    pub const fn new(status: StatusCode) -> Self {
        Self { status: status.to_send(), fields: FieldSection::new(), offers: None }
    }

    /// Makes a 426, which asks the client to retry with an upgrade to `protocol`. The Upgrade field and its option in
    /// Connection are written with it. RFC 9110 15.5.22 and 7.8.
    pub(crate) const fn upgrade_required(protocol: &'static str) -> Self {
        let status = StatusCode::UPGRADE_REQUIRED;
        Self { status, fields: FieldSection::new(), offers: Some(protocol) }
    }

    /// Adds a field, and returns the head.
    #[must_use]
    pub fn with(mut self, field: Field<'_>) -> Self {
        self.fields.push(field);
        self
    }

    /// Adds a field, after checking it, and returns the head. For text that is known, [`Field::from_static`] is checked
    /// when the program is compiled.
    ///
    /// # Errors
    ///
    /// If name or value is not valid, or the state machines write the field ([`Field::new`]).
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, InvalidField> {
        Ok(self.with(Field::new(name, value.as_ref())?))
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The protocol that the client may upgrade to.
    #[cfg(feature = "http")]
    pub(in crate::http) fn offers(&self) -> Option<&'static str> {
        self.offers
    }

    /// The fields.
    pub fn fields(&self) -> &FieldSection {
        &self.fields
    }

    /// The fields, to change them.
    pub fn fields_mut(&mut self) -> &mut FieldSection {
        &mut self.fields
    }
}

impl From<StatusCode> for Response {
    fn from(status: StatusCode) -> Self {
        Self::new(status)
    }
}

/// The head of an interim response: a status from 102 to 199, and fields. RFC 9110 15.2.
///
/// A 100 answers an expectation and a 101 belongs to an upgrade, so neither can be made here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interim {
    status: u16,
    fields: FieldSection,
}

/// A number that is not the status code of an interim response that can be sent on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidInterim(u16);

impl fmt::Display for InvalidInterim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected an interim status code from 102 to 199, got {} (RFC 9110 15.2)", self.0)
    }
}

impl core::error::Error for InvalidInterim {}

impl Interim {
    /// 103 Early Hints, RFC 8297.
    pub const fn early_hints() -> Self {
        Self { status: 103, fields: FieldSection::new() }
    }

    /// Makes an interim head with this status code.
    ///
    /// # Errors
    ///
    /// If the number is outside 102 to 199.
    pub const fn new(status: u16) -> Result<Self, InvalidInterim> {
        if status >= 102 && status <= 199 {
            Ok(Self { status, fields: FieldSection::new() })
        } else {
            Err(InvalidInterim(status))
        }
    }

    /// Adds a field, and returns the head.
    #[must_use]
    pub fn with(mut self, field: Field<'_>) -> Self {
        self.fields.push(field);
        self
    }

    /// Adds a field, after checking it, and returns the head. For text that is known, [`Field::from_static`] is checked
    /// when the program is compiled.
    ///
    /// # Errors
    ///
    /// If name or value is not valid, or the state machines write the field ([`Field::new`]).
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, InvalidField> {
        Ok(self.with(Field::new(name, value.as_ref())?))
    }

    /// The status code, from 102 to 199.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The fields.
    pub fn fields(&self) -> &FieldSection {
        &self.fields
    }

    /// The fields, to change them.
    pub fn fields_mut(&mut self) -> &mut FieldSection {
        &mut self.fields
    }

    pub(in crate::http) fn write(&self, out: &mut Outbox) {
        let reason = match self.status {
            102 => "Processing",
            103 => "Early Hints",
            _ => "",
        };
        status_line(self.status, reason, out);
        out.put(self.fields.as_bytes());
        out.put(b"\r\n");
    }
}

/// What the head of a response announces about the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Connection {
    /// The connection stays open, the default of HTTP/1.1.
    Keep,
    /// The connection stays open, which HTTP/1.0 must be told.
    KeepAnnounced,
    /// The connection closes.
    Close,
}

pub(in crate::http) fn write_final(
    head: &Response,
    announced: Announced,
    connection: Connection,
    date: Option<&Date>,
    out: &mut Outbox,
) {
    if head.status == StatusCode::OK {
        out.put(b"HTTP/1.1 200 OK\r\n");
    } else {
        status_line(head.status.as_u16(), head.status.reason(), out);
    }
    out.put(match connection {
        Connection::Keep => b"",
        Connection::KeepAnnounced => b"connection: keep-alive\r\n",
        Connection::Close => b"connection: close\r\n",
    });
    if let Some(protocol) = head.offers {
        out.put(b"connection: upgrade\r\nupgrade: ");
        out.put(protocol.as_bytes());
        out.put(b"\r\n");
    }
    announced.write(out);
    if let Some(date) = date {
        out.put(b"date: ");
        out.put(date.as_bytes());
        out.put(b"\r\n");
    }
    out.put(head.fields.as_bytes());
    out.put(b"\r\n");
}

pub(in crate::http) fn status_line(code: u16, reason: &str, out: &mut Outbox) {
    out.put(b"HTTP/1.1 ");
    out.put_decimal(u64::from(code));
    out.put(b" ");
    out.put(reason.as_bytes());
    out.put(b"\r\n");
}
