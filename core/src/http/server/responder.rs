//! The right to respond.

use bytes::Bytes;

use crate::convert;
use crate::http::received::body::Incoming;
use crate::http::received::persistence::Persistence;
use crate::http::sent::body::Sending;
use crate::http::sent::framing::Announced;
use crate::http::sent::response;
use crate::http::sent::response::Connection;
use crate::http::{Date, Framing, Interim, Method, RequestHead, Response, StatusCode, Version};
use crate::{Inbox, Outbox};

/// The right to respond to one request. Each request has one, and responding consumes it.
#[derive(Debug)]
pub(super) struct Responder {
    request: Kind,
    version: Version,
    persistence: Persistence,
    takes_trailers: bool,
    expectation: Expectation,
}

/// What the request's method decides about its response, and about another protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Get,
    Head,
    Connect,
    /// Its response has the same form as that of a GET.
    Other,
}

/// Whether the client waits for 100 Continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expectation {
    None,
    Open,
    /// A 100 Continue was sent.
    Granted,
}

impl Responder {
    pub(super) fn new(head: &RequestHead, expects: bool) -> Self {
        let fields = head.fields();
        let persistence = if head.method() == Method::Connect {
            // Bytes that a client sent after a CONNECT, hoping for a tunnel, are not a request (RFC 9110 9.3.6).
            Persistence::Close
        } else {
            Persistence::of(head.version(), fields)
        };
        Self {
            request: match head.method() {
                Method::Head => Kind::Head,
                Method::Connect => Kind::Connect,
                Method::Get => Kind::Get,
                Method::Post
                | Method::Put
                | Method::Delete
                | Method::Options
                | Method::Trace
                | Method::Patch
                | Method::Extension(_) => Kind::Other,
            },
            version: head.version(),
            persistence,
            takes_trailers: fields.list("te").any(|coding| {
                let name = coding.split(|&byte| byte == b';').next().unwrap_or_default();
                name.trim_ascii().eq_ignore_ascii_case(b"trailers")
            }),
            expectation: if expects { Expectation::Open } else { Expectation::None },
        }
    }

    /// Sends 100 Continue to a client that waits for it.
    pub(super) fn proceed(&mut self, out: &mut Outbox) {
        if self.expectation == Expectation::Open {
            self.expectation = Expectation::Granted;
            out.put(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
    }

    /// Sends an interim response before the final one. HTTP/1.0 has none, so nothing is sent to it (RFC 9110 15.2).
    pub(super) fn interim(&mut self, head: &Interim, out: &mut Outbox) {
        if self.version == Version::Http11 {
            head.write(out);
        }
    }

    /// Makes the response the last one of the connection. It will announce the close.
    pub(super) fn last(&mut self) {
        self.persistence = Persistence::Close;
    }

    /// Writes a whole response, and returns whether the connection stays open.
    pub(super) fn respond(
        self,
        head: &Response,
        body: Bytes,
        date: Option<&Date>,
        inbox: &mut Inbox,
        incoming: &mut Incoming,
        out: &mut Outbox,
    ) -> Persistence {
        let persistence = self.persistence_after(inbox, incoming);
        self.hold_back(inbox, incoming, out);
        let framing = Framing::Length(convert::u64_from(body.len()));
        let sending = self.write_head(head, framing, persistence, date, out);
        if let Sending::Length { .. } = sending {
            out.put_bytes(body);
        }
        persistence
    }

    /// Writes the head of a response whose body follows in pieces.
    pub(super) fn start(
        self,
        head: &Response,
        framing: Framing,
        date: Option<&Date>,
        inbox: &Inbox,
        incoming: &Incoming,
        out: &mut Outbox,
    ) -> (Sending, Persistence) {
        let persistence = match (framing, self.version) {
            // Only the close can end the body.
            (Framing::Chunked, Version::Http10) if self.may_have_content(head.status()) => Persistence::Close,
            _ if incoming.has_failed() || self.is_still_expecting(inbox, incoming) => Persistence::Close,
            _ => self.persistence,
        };
        self.hold_back(inbox, incoming, out);
        (self.write_head(head, framing, persistence, date, out), persistence)
    }

    /// True if the method is GET.
    pub(super) fn is_get(&self) -> bool {
        self.request == Kind::Get
    }

    /// The version of the request.
    pub(super) fn version(&self) -> Version {
        self.version
    }

    /// True if the request had `TE: trailers`.
    pub(super) fn takes_trailers(&self) -> bool {
        self.takes_trailers
    }

    /// True if the client waits for 100 Continue.
    pub(super) fn expects_continue(&self) -> bool {
        self.expectation == Expectation::Open
    }

    /// Discards what has arrived of the body.
    fn persistence_after(&self, inbox: &mut Inbox, incoming: &mut Incoming) -> Persistence {
        let is_short = incoming.remaining(inbox).is_some_and(|rest| rest <= incoming.limits.drain_bytes);
        incoming.discard(inbox);
        let worth_reading = incoming.is_done(inbox) || (is_short && !incoming.has_failed());
        if worth_reading && !self.is_still_expecting(inbox, incoming) {
            self.persistence
        } else {
            Persistence::Close
        }
    }

    /// A client without a 100 Continue may send the body or not, so the bytes that follow are ambiguous.
    fn is_still_expecting(&self, inbox: &Inbox, incoming: &Incoming) -> bool {
        self.expectation == Expectation::Open && incoming.is_untouched(inbox)
    }

    /// HAProxy 2.6 loses a final response that it reads together with the 100, so the two never leave together, nor in
    /// quick succession: a byte of the body shows that the 100 has arrived.
    fn hold_back(&self, inbox: &Inbox, incoming: &Incoming, out: &mut Outbox) {
        let time = incoming.limits.continue_time;
        if self.expectation == Expectation::Granted && incoming.is_untouched(inbox) && !time.is_zero() {
            out.hold(time);
        }
    }

    /// The status of a response with this head. A success would open a tunnel, for which there is another method.
    pub(super) fn status_of(&self, head: &Response) -> StatusCode {
        if self.is_refused_tunnel(head) { StatusCode::NOT_IMPLEMENTED } else { head.status() }
    }

    /// True if a response with this head has content.
    pub(super) fn has_content(&self, head: &Response) -> bool {
        self.may_have_content(head.status()) && !self.is_refused_tunnel(head)
    }

    fn is_refused_tunnel(&self, head: &Response) -> bool {
        self.request == Kind::Connect && head.status().is_success()
    }

    fn may_have_content(&self, status: StatusCode) -> bool {
        self.request != Kind::Head
            && !matches!(
                status,
                StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED
            )
    }

    fn write_head(
        self,
        head: &Response,
        framing: Framing,
        persistence: Persistence,
        date: Option<&Date>,
        out: &mut Outbox,
    ) -> Sending {
        let connection = match (persistence, self.version) {
            (Persistence::Close, _) => Connection::Close,
            (Persistence::Keep, Version::Http10) => Connection::KeepAnnounced,
            (Persistence::Keep, Version::Http11) => Connection::Keep,
        };
        if self.is_refused_tunnel(head) {
            let refused = Response::new(StatusCode::NOT_IMPLEMENTED);
            response::write_final(&refused, Announced::Length(0), connection, date, out);
            return Sending::NoContent;
        }
        let (announced, sending) = self.frame(head.status(), framing);
        response::write_final(head, announced, connection, date, out);
        sending
    }

    /// How a response's content is framed, in one table. RFC 9110 8.6, 15.3.5, 15.3.6 and 15.4.5; RFC 9112 6.
    fn frame(&self, status: StatusCode, framing: Framing) -> (Announced, Sending) {
        let announced = match (framing, self.version) {
            (Framing::Length(length), _) => Announced::Length(length),
            (Framing::Chunked, Version::Http11) => Announced::Chunked,
            (Framing::Chunked, Version::Http10) => Announced::Nothing,
        };
        match (status, announced) {
            (StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED, _) => {
                (Announced::Nothing, Sending::NoContent)
            }
            (StatusCode::RESET_CONTENT, _) => (Announced::Length(0), Sending::NoContent),
            _ if self.request == Kind::Head => (announced, Sending::NoContent),
            (_, Announced::Length(length)) => (announced, Sending::Length { remaining: length }),
            (_, Announced::Chunked) => (announced, Sending::Chunked),
            (_, Announced::Nothing) => (announced, Sending::UntilClose),
        }
    }
}
