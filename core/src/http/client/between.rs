//! Between requests: no response is open.

use alloc::boxed::Box;
use alloc::sync::Arc;
use bytes::Bytes;

use super::expect::Withheld;
use super::response::Response;
use super::send::{Body, Finished};
use super::tunnel::Tunnel;
use super::waiting::{Expectation, Waiting};
use crate::http::grammar::reading::Reader;
use crate::http::sent::body::Sending;
use crate::http::sent::framing::Announced;
use crate::http::sent::request::Expects;
use crate::http::{ConnectHead, Framing, Limits, RequestHead};
use crate::{Deadline, Exceeded, Inbox, Instant, Limit, Outbox, Step, Violation, convert};

/// A connection without an open request, and the right to send one.
///
/// Sending a request consumes it. Only [`ResponseBody::after`](super::ResponseBody::after) makes the next one, when
/// request and response are both complete.
#[derive(Debug)]
#[must_use = "dropping a client closes the connection"]
pub struct Client {
    inbox: Box<Inbox>,
    limits: Arc<Limits>,
    since: Option<Instant>,
}

/// Why no further request can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The server ended its stream, or announced that it does (408, RFC 9110 15.5.9): the ordinary end.
    ByPeer,
    /// No request was sent for longer than [`Limit::IdleTime`].
    Idle(Exceeded),
    /// The server sent bytes without a request. They are not read.
    Unasked(Violation),
}

impl Client {
    /// Makes a new connection.
    pub fn new(limits: Arc<Limits>) -> Self {
        let inbox = Inbox::new(limits.received(Reader::Client));
        Self::again(inbox.into(), limits)
    }

    pub(super) fn again(mut inbox: Box<Inbox>, limits: Arc<Limits>) -> Self {
        inbox.forget_silence();
        Self { inbox, limits, since: None }
    }

    /// The inbox for received bytes. It should stay empty.
    pub fn inbox(&mut self) -> &mut Inbox {
        &mut self.inbox
    }

    /// Checks whether a request can still be sent, as far as the bytes read so far show. Call it before each request on
    /// a kept connection, to detect that the server has closed it meanwhile.
    pub fn poll(mut self) -> Step<Self, Closed> {
        if is_timeout(self.inbox.unread()) {
            return Step::Done(Closed::ByPeer);
        }
        if !self.inbox.is_empty() {
            return Step::Done(Closed::Unasked(unasked(self.inbox.unread())));
        }
        // RFC 9112 9.8: no response is missing without a request.
        if self.inbox.is_over() {
            return Step::Done(Closed::ByPeer);
        }
        let Some(now) = self.inbox.dry_at() else { return Step::Wait(self) };
        let since = *self.since.get_or_insert(now);
        let time = self.limits.idle_time;
        if now < since.saturating_add(time) {
            return Step::Wait(self);
        }
        Step::Done(Closed::Idle(Exceeded::time(Limit::IdleTime, time)))
    }

    /// When to poll again even if nothing arrives: read first, then call [`Inbox::dry`].
    pub fn deadline(&self) -> Option<Deadline> {
        let since = self.since?;
        Some(Deadline { at: since.saturating_add(self.limits.idle_time), reason: Limit::IdleTime })
    }

    /// Sends a request and writes its body in pieces, while the response may already be arriving.
    ///
    /// A request without content has [`Framing::Length`] of zero.
    pub fn request(self, head: &RequestHead, framing: Framing, out: &mut Outbox) -> (Body, Response) {
        let (announced, sending) = frame(framing);
        head.write(announced, Expects::Nothing, out);
        (Body::new(sending), Response::new(self.waits(Expectation::None), head))
    }

    /// Sends a request whose whole body is available.
    ///
    /// The body counts as queued. It is accepted at any size, since it was in memory before.
    pub fn send(self, head: &RequestHead, body: Bytes, out: &mut Outbox) -> (Finished, Response) {
        head.write(Announced::Length(convert::u64_from(body.len())), Expects::Nothing, out);
        out.put_bytes(body);
        (Finished::new(), Response::new(self.waits(Expectation::None), head))
    }

    /// Sends the head of a request and asks whether the server wants the body: `Expect: 100-continue`. RFC 9110 10.1.1.
    ///
    /// The body is withheld until [`Next::Continue`](super::Next::Continue) comes: when the server asks for the body,
    /// or after [`Limits::continue_time`], since a server may not know the expectation. If a final response comes
    /// first, the server does not want the body. A 417 means that the expectation could not be met: repeat the request
    /// without it, with [`request`](Self::request) on another connection.
    ///
    /// A request without content carries no expectation, and the first poll continues.
    pub fn request_expecting(
        self,
        head: &RequestHead,
        framing: Framing,
        out: &mut Outbox,
    ) -> (Withheld, Response) {
        let (announced, sending) = frame(framing);
        let (expects, expectation) = match framing {
            // RFC 9110 10.1.1: a request without content has no expectation.
            Framing::Length(0) => (Expects::Nothing, Expectation::Moot),
            Framing::Length(_) | Framing::Chunked => (Expects::Continue, Expectation::Open),
        };
        head.write(announced, expects, out);
        (Withheld::new(Body::new(sending)), Response::new(self.waits(expectation), head))
    }

    /// Asks for a tunnel: CONNECT. RFC 9110 9.3.6.
    pub fn tunnel(self, head: &ConnectHead, out: &mut Outbox) -> Tunnel {
        head.0.write(Announced::Nothing, Expects::Nothing, out);
        Tunnel::new(self.waits(Expectation::None))
    }

    /// Sends a request without content; another state reads its response.
    pub(crate) fn ask(self, head: &RequestHead, out: &mut Outbox) -> Waiting {
        head.write(Announced::Nothing, Expects::Nothing, out);
        self.waits(Expectation::None)
    }

    fn waits(self, expectation: Expectation) -> Waiting {
        Waiting::new(self.inbox, self.limits, expectation)
    }
}

/// How a request's content is announced, and how it is sent.
fn frame(framing: Framing) -> (Announced, Sending) {
    match framing {
        Framing::Length(length) => (Announced::Length(length), Sending::Length { remaining: length }),
        Framing::Chunked => (Announced::Chunked, Sending::Chunked),
    }
}

/// RFC 9110 15.5.9: a server that stops waiting for a request may announce that before it closes.
fn is_timeout(got: &[u8]) -> bool {
    got.starts_with(b"HTTP/1.1 408") || got.starts_with(b"HTTP/1.0 408")
}

/// Describes bytes that came without a request.
pub(in crate::http) fn unasked(got: &[u8]) -> Violation {
    Violation::new("nothing from the server without a request", got, "RFC 9112 9.2")
}
