//! A request that cannot be taken, and the one response that is still allowed.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use super::{Inner, closing};
use crate::http::received::request::InvalidRequestLine;
use crate::http::sent::framing::Announced;
use crate::http::sent::response;
use crate::http::sent::response::Connection;
use crate::http::{Date, Field, Method, RequestHead, Response, StatusCode};
use crate::{Closing, Error, Exceeded, Limit, Outbox, Outcome, Violation};

/// A request that the server cannot take. The server can only send the refusal and close.
///
/// | status | for |
/// |---|---|
/// | 400 | a violation of the protocol |
/// | 408 | a head that was not complete in time |
/// | 413 | a length above the limit |
/// | 414 | a target above the limit |
/// | 417 | an expectation other than 100-continue |
/// | 431 | a head above the limit, or too many fields |
/// | 501 | a transfer coding or a method that is not implemented |
/// | 505 | another major version of HTTP |
#[derive(Debug)]
#[must_use = "answer it, or drop it to close without a response"]
pub struct Refusal {
    reject: Reject,
    request: Refused,
    inner: Box<Inner>,
}

/// What was read of a request that is refused.
#[derive(Debug)]
pub(super) enum Refused {
    /// Its head.
    Head(Box<RequestHead>),
    /// Its request line, or less, which has not left the inbox.
    Unread,
}

impl Refusal {
    pub(super) fn new(reject: Reject, request: Refused, inner: Box<Inner>) -> Self {
        Self { reject, request, inner }
    }

    /// The reason: what was expected and what came, or which limit was met.
    pub fn error(&self) -> &Error {
        self.reject.error()
    }

    /// The status that will be sent.
    pub fn status(&self) -> StatusCode {
        self.reject.status()
    }

    /// What could be read of the head. `None` if its request line is invalid or not complete. It has no fields unless all
    /// of them are valid.
    pub fn head(&self) -> Option<RequestHead> {
        match &self.request {
            Refused::Head(head) => Some((**head).clone()),
            Refused::Unread => {
                let line = self.inner.between.request_line()?;
                let unread = self.inner.conn.inbox.unread();
                Some(RequestHead::without_fields(line, unread.get(..line.end()).unwrap_or(unread)))
            }
        }
    }

    /// The number of bytes of content that [`answer`](Self::answer) writes.
    pub fn content_length(&self) -> usize {
        if self.is_head() { 0 } else { self.reject.text().len() }
    }

    /// RFC 9110 9.3.2: no content in a response to HEAD, even if the rest of its line cannot be parsed.
    fn is_head(&self) -> bool {
        let unread = self.inner.conn.inbox.unread();
        match (&self.request, self.inner.between.request_line()) {
            (Refused::Head(head), _) => head.method() == Method::Head,
            (Refused::Unread, Some(line)) => line.method(unread) == Method::Head,
            (Refused::Unread, None) => unread.starts_with(b"HEAD "),
        }
    }

    /// Writes the response: the status, and a line of text that states what was expected. It announces the close.
    ///
    /// Repeats nothing that the peer sent. For a HEAD, the text is only announced.
    pub fn answer(mut self, date: Option<&Date>) -> Closing {
        let is_head = self.is_head();
        self.reject.write(is_head, date, &mut self.inner.conn.outbox);
        let ended = Outcome::from(self.reject.error().clone());
        closing(*self.inner, ended)
    }
}

/// A status, and the error behind it.
#[derive(Debug)]
pub(super) struct Reject {
    status: StatusCode,
    error: Error,
}

impl Reject {
    pub(super) fn new(status: StatusCode, violation: Violation) -> Self {
        Self { status, error: violation.into() }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn error(&self) -> &Error {
        &self.error
    }

    /// A line that states what was expected.
    fn text(&self) -> String {
        let Self { status, error } = self;
        match error {
            Error::Protocol(violation) => {
                format!("{status}: expected {} ({})\n", violation.expected(), violation.section())
            }
            Error::Limit(exceeded) => format!("{status}: {exceeded}\n"),
        }
    }

    /// Writes the response: the status, and a line of text that states what was expected. It announces the close.
    pub(super) fn write(&self, is_head: bool, date: Option<&Date>, out: &mut Outbox) {
        let text = self.text();
        let head = Response::new(self.status).with(PLAIN_TEXT);
        let length = Announced::Length(crate::convert::u64_from(text.len()));
        response::write_final(&head, length, Connection::Close, date, out);
        if !is_head {
            out.put(text.as_bytes());
        }
    }
}

impl From<Violation> for Reject {
    fn from(violation: Violation) -> Self {
        Self::new(StatusCode::BAD_REQUEST, violation)
    }
}

impl From<Exceeded> for Reject {
    fn from(exceeded: Exceeded) -> Self {
        Self { status: status_of(exceeded.limit), error: exceeded.into() }
    }
}

impl From<Error> for Reject {
    fn from(error: Error) -> Self {
        match error {
            Error::Protocol(violation) => violation.into(),
            Error::Limit(exceeded) => exceeded.into(),
        }
    }
}

impl StatusCode {
    /// The status with which to answer a request that failed with `error`: 400, 408, 413, 414 or 431.
    pub fn of_error(error: &Error) -> Self {
        match error {
            Error::Protocol(_) => Self::BAD_REQUEST,
            Error::Limit(exceeded) => status_of(exceeded.limit),
        }
    }
}

/// The status that tells a client which of our limits it met.
fn status_of(limit: Limit) -> StatusCode {
    match limit {
        Limit::TargetBytes => StatusCode::URI_TOO_LONG,
        // The limits of WebSocket and of clients are not met here; each has the status with the same meaning.
        Limit::BodyBytes
        | Limit::FrameBytes
        | Limit::MessageBytes
        | Limit::StreamedBytes
        | Limit::FragmentCount
        | Limit::FinalBlocks => StatusCode::CONTENT_TOO_LARGE,
        Limit::HeadBytes
        | Limit::FieldCount
        | Limit::InterimCount
        | Limit::TrailerBytes
        | Limit::ChunkExtensionBytes => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Limit::FirstByteTime
        | Limit::HeadTime
        | Limit::IdleTime
        | Limit::ResponseTime
        | Limit::RequestTime
        | Limit::ContinueTime
        | Limit::BodyProgress
        | Limit::WriteProgress
        | Limit::LingerTime
        | Limit::HalfClosedTime
        | Limit::MessageProgress
        | Limit::PingInterval
        | Limit::PongTime
        | Limit::CloseTime => StatusCode::REQUEST_TIMEOUT,
        Limit::HeldBytes | Limit::Connections => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl From<InvalidRequestLine> for Reject {
    fn from(invalid: InvalidRequestLine) -> Self {
        match invalid {
            InvalidRequestLine::Syntax(violation) => violation.into(),
            InvalidRequestLine::Method(violation) => Self::new(StatusCode::NOT_IMPLEMENTED, violation),
            InvalidRequestLine::Version(violation) => {
                Self::new(StatusCode::HTTP_VERSION_NOT_SUPPORTED, violation)
            }
        }
    }
}

const PLAIN_TEXT: Field<'_> = Field::from_static("content-type", "text/plain");
