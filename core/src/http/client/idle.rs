//! Between two requests: no response is open.

use alloc::boxed::Box;
use alloc::sync::Arc;

use bytes::Bytes;

use super::Inner;
use super::awaited::{Awaited, Upload};
use super::call::{Call, Sent, Withheld};
use super::handshake::Handshake;
use super::terms::Terms;
use crate::http::body::Streaming;
use crate::http::grammar::reading::Reader;
use crate::http::sent::body::Sending;
use crate::http::sent::framing::Announced;
use crate::http::sent::request::Expects;
use crate::http::{Connect, Framing, HttpLimits, Request, Upgrade};
use crate::io::{Ask, Conn, Waits};
use crate::since::Since;
use crate::ws::{Masks, Offer};
use crate::{
    Deadline, Exceeded, Inbox, Instant, Io, Limit, OutboxLimits, Outcome, Upgraded, Violation, convert,
};

/// A client's connection without an open request, and the right to send one.
///
/// Sending a request consumes it. Only [`Call::next`] makes the next one, when request and response are both complete.
#[derive(Debug)]
#[must_use = "dropping it closes the connection"]
pub struct ClientConnection(Box<Inner>);

/// The wait between two requests.
#[derive(Debug, Default)]
pub(super) struct Idle {
    time: core::time::Duration,
    since: Since,
}

impl ClientConnection {
    /// Makes a new connection. Connections can share their limits.
    pub fn new(limits: Arc<HttpLimits>, output: impl Into<Arc<OutboxLimits>>) -> Self {
        let mut inbox = Inbox::new(limits.received(Reader::Client));
        let idle = Idle { time: limits.idle_time, ..Idle::default() };
        let response = Awaited::new(&mut inbox, limits);
        Self(Box::new(Inner { conn: Conn::new(inbox, output), response, idle }))
    }

    pub(super) fn again(mut inner: Box<Inner>) -> Self {
        inner.conn.inbox.forget_silence();
        inner.idle = Idle { time: inner.response.limits.idle_time, ..Idle::default() };
        Self(inner)
    }

    /// The transport's side. Nothing should arrive.
    pub fn io(&mut self) -> Io<'_> {
        Io::new(&mut self.0.conn, &mut self.0.idle)
    }

    /// Checks whether a request can still be sent, as far as the bytes read so far show. Call it before each request on
    /// a kept connection, after a read, to detect that the server has closed it meanwhile.
    ///
    /// # Errors
    ///
    /// How the connection ended: the server closed it ([`Outcome::ByPeer`]), or announced that it does (408, RFC 9110
    /// 15.5.9); no request was sent for [`HttpLimits::idle_time`] ([`Outcome::Silent`]); or the server sent bytes without a
    /// request ([`Outcome::Violated`]). Close the transport.
    pub fn poll(self) -> Result<Self, Outcome> {
        let Inner { conn, idle, .. } = &*self.0;
        let unread = conn.inbox.unread();
        if is_timeout(unread) {
            return Err(Outcome::ByPeer);
        }
        if !unread.is_empty() {
            return Err(Outcome::Violated(unasked(unread)));
        }
        // RFC 9112 9.8: no response is missing without a request.
        if conn.inbox.is_over() {
            return Err(Outcome::ByPeer);
        }
        if idle.since.is_met(conn.inbox.dry_at(), idle.time) {
            return Err(Outcome::Silent(Exceeded::time(Limit::IdleTime, idle.time)));
        }
        Ok(self)
    }

    /// Sends a request whose whole body is available.
    ///
    /// The body counts as queued. It is accepted at any size, since it was in memory before.
    pub fn send(self, head: &Request, body: Bytes) -> Call<Sent> {
        let Self(mut inner) = self;
        let outbox = &mut inner.conn.outbox;
        head.write(Announced::Length(convert::u64_from(body.len())), Expects::Nothing, outbox);
        outbox.put_bytes(body);
        inner.expect(Terms::of(head), Upload::Over);
        Call::new(inner, Sent::new())
    }

    /// Sends the head of a request, whose body is written in pieces while the response may already be arriving.
    ///
    /// A request without content has [`Framing::Length`] of zero.
    pub fn start(self, head: &Request, framing: Framing) -> Call<Streaming> {
        let Self(mut inner) = self;
        let (announced, streaming) = frame(head, framing);
        head.write(announced, Expects::Nothing, &mut inner.conn.outbox);
        inner.expect(Terms::of(head), Upload::Underway);
        Call::new(inner, streaming)
    }

    /// Sends the head of a request and asks whether the server wants the body: `Expect: 100-continue`. RFC 9110 10.1.1.
    ///
    /// The body is withheld until [`Call::proceed`]. Wait for [`CallEvent::Continue`](super::CallEvent::Continue) before:
    /// it comes when the server asks for the body, or after [`HttpLimits::continue_time`], since a server may not know the
    /// expectation. If a final response comes first, the server does not want the body. A 417 means that the expectation
    /// could not be met: repeat the request without it, with [`start`](Self::start) on another connection.
    ///
    /// A request without content carries no expectation, and the first event is to continue.
    pub fn ask(self, head: &Request, framing: Framing) -> Call<Withheld> {
        let Self(mut inner) = self;
        let (announced, streaming) = frame(head, framing);
        let (expects, upload) = match framing {
            // RFC 9110 10.1.1: a request without content has no expectation.
            Framing::Length(0) => (Expects::Nothing, Upload::Empty),
            Framing::Length(_) | Framing::Chunked => (Expects::Continue, Upload::Withheld),
        };
        head.write(announced, expects, &mut inner.conn.outbox);
        inner.expect(Terms::of(head), upload);
        Call::new(inner, Withheld::new(streaming))
    }

    /// Asks for a tunnel: CONNECT. RFC 9110 9.3.6.
    pub fn tunnel(self, head: &Connect) -> Handshake<Upgraded> {
        let Self(mut inner) = self;
        head.0.write(Announced::Nothing, Expects::Nothing, &mut inner.conn.outbox);
        inner.expect(Terms::UPGRADE, Upload::Over);
        Handshake::tunnel(inner)
    }

    /// Sends a request whose whole body is available, and offers to switch to another protocol after it. RFC 9110 7.8.
    ///
    /// A server that does not know the protocol responds as if it had not been offered: see
    /// [`Opening::Refused`](super::Opening::Refused).
    pub fn switch(self, head: Upgrade, body: Bytes) -> Handshake<Upgraded> {
        let Self(mut inner) = self;
        let outbox = &mut inner.conn.outbox;
        head.offer().write(Announced::Length(convert::u64_from(body.len())), Expects::Nothing, outbox);
        outbox.put_bytes(body);
        inner.expect(Terms::of(head.head()), Upload::Over);
        Handshake::switch(inner, head)
    }

    /// Asks for a WebSocket. `masks` makes the mask key of each frame. RFC 6455 4.1.
    pub fn websocket(self, offer: Offer, masks: Masks) -> Handshake<crate::ws::Socket> {
        let Self(mut inner) = self;
        offer.head().write(Announced::Nothing, Expects::Nothing, &mut inner.conn.outbox);
        inner.expect(Terms::UPGRADE, Upload::Over);
        Handshake::websocket(inner, offer, masks)
    }
}

impl Waits for Idle {
    fn found_nothing(&mut self, _: &mut Conn, now: Instant, _: Ask<'_>) -> bool {
        self.since.is_over(now, self.time)
    }

    fn pause(&mut self, _: &mut Conn, _: Instant) {}

    fn deadline(&self, _: &Conn) -> Option<Deadline> {
        self.since.end(self.time).map(|at| Deadline { at, reason: Limit::IdleTime })
    }
}

/// How a request's content is announced, and how it is sent.
fn frame(head: &Request, framing: Framing) -> (Announced, Streaming) {
    let (announced, sending) = match framing {
        Framing::Length(length) => (Announced::Length(length), Sending::Length { remaining: length }),
        Framing::Chunked => (Announced::Chunked, Sending::Chunked),
    };
    (announced, Streaming::new(sending, true, head.persistence))
}

/// RFC 9110 15.5.9: a server that stops waiting for a request may announce that before it closes.
fn is_timeout(got: &[u8]) -> bool {
    got.starts_with(b"HTTP/1.1 408") || got.starts_with(b"HTTP/1.0 408")
}

/// Describes bytes that came without a request.
pub(super) fn unasked(got: &[u8]) -> Violation {
    Violation::new("nothing from the server without a request", got, "RFC 9112 9.2")
}
