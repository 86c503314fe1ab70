//! Between two requests: no response can be written.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::time::Duration;

use super::exchange::Exchange;
use super::refusal::{Refusal, Refused, Reject};
use super::terms::Terms;
use super::{Inner, closing, silent};
use crate::http::grammar::reading::Reader;
use crate::http::received::body::Incoming;
use crate::http::received::length::BodyLength;
use crate::http::received::progress::{HeadBounds, HeadProgress, WholeHead};
use crate::http::received::request::RequestLine;
use crate::http::{HttpLimits, Reading, RequestHead};
use crate::io::{Ask, Conn, Waits};
use crate::since::SinceArrival;
use crate::{
    Closing, Deadline, Exceeded, Inbox, Instant, Io, Limit, OutboxLimits, Outcome, Violation, convert,
};

/// A server's connection between two requests: it can only receive.
///
/// [`poll`](Self::poll) ends it.
#[derive(Debug)]
#[must_use = "dropping it closes the connection"]
pub struct ServerConnection(Box<Inner>);

/// What follows the wait between two requests.
#[derive(Debug)]
#[must_use = "it holds the connection"]
pub enum Next {
    /// No request has arrived completely: write, read, and poll again.
    Wait(ServerConnection),
    /// A request, and the right to answer it. The head lies outside the exchange, so that it can be read while the
    /// exchange is used up.
    Request(RequestHead, Exchange),
    /// A request that the server cannot take. It is answered, and the connection closes.
    Refused(Refusal),
    /// No further request will come: [`Outcome::ByPeer`], [`Outcome::Silent`], or [`Outcome::ByUs`] if the rest of a request's
    /// body was not worth reading.
    Closing(Closing),
}

/// What the server knows between two requests, and of the request that is open.
#[derive(Debug)]
pub(super) struct Between {
    head: HeadProgress<RequestLine>,
    /// Those skipped so far. RFC 9112 2.2.
    empty_lines: u8,
    waiting: Waiting,
    since: SinceArrival,
    /// The body of the last request. Its rest is discarded before the next request is read.
    pub(super) body: Incoming,
    /// Bytes of that rest, framing included, that may still be read.
    drain: u64,
}

/// What the server waits for. Each has its own time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    /// The first byte of the connection.
    FirstByte,
    /// The first byte of a further request.
    Further,
    /// The rest of a head.
    Head,
}

/// Empty lines before a request line that are skipped; one more is refused. Some clients send one after a body, and
/// proxies forward those of several clients. An empty line does not begin a head, so the time for its first byte runs
/// on.
const EMPTY_LINES: u8 = 8;

impl ServerConnection {
    /// Makes a new connection. Connections can share their limits.
    pub fn new(limits: Arc<HttpLimits>, output: impl Into<Arc<OutboxLimits>>) -> Self {
        let mut inbox = Inbox::new(limits.received(Reader::Server));
        let between = Between {
            head: HeadProgress::new(Reading::Strict),
            empty_lines: 0,
            waiting: Waiting::FirstByte,
            since: SinceArrival::default(),
            drain: 0,
            body: Incoming::new(&mut inbox, limits, Reader::Server, BodyLength::Known(0)),
        };
        Self(Box::new(Inner { conn: Conn::new(inbox, output), between }))
    }

    /// The response is complete: waits for the next request.
    pub(super) fn again(mut inner: Box<Inner>) -> Self {
        let Inner { conn, between } = &mut *inner;
        between.head = HeadProgress::new(Reading::Strict);
        between.empty_lines = 0;
        between.waiting = Waiting::Further;
        between.since.restart();
        between.drain = between.body.limits.drain_bytes;
        between.body.forget(&conn.inbox);
        if between.body.is_done(&conn.inbox) {
            conn.inbox.forget_silence();
        }
        Self(inner)
    }

    /// The transport's side.
    pub fn io(&mut self) -> Io<'_> {
        Io::new(&mut self.0.conn, &mut self.0.between)
    }

    /// True if no byte of a further request has arrived: closing now loses no request.
    pub fn is_idle(&self) -> bool {
        self.0.between.is_before_head(&self.0.conn.inbox)
    }

    /// Accepts no further request. The peer only sees the end of the stream.
    pub fn close(self) -> Closing {
        closing(*self.0, Outcome::ByUs)
    }

    /// Returns the next request, if its head has arrived completely.
    ///
    /// Discards the rest of the last request's body first: at most [`HttpLimits::drain_bytes`], framing included. Above
    /// [`OutboxLimits::high_water`] it waits, so that a client that sends and never reads cannot make memory grow.
    pub fn poll(mut self) -> Next {
        let Inner { conn, between } = &mut *self.0;
        match between.drain(&mut conn.inbox) {
            Ok(true) => {}
            Ok(false) => return Next::Wait(self),
            Err(NotWorthReading) => return Next::Closing(closing(*self.0, Outcome::ByUs)),
        }
        if conn.outbox.is_above_high_water() {
            return Next::Wait(self);
        }
        match between.advance(&mut conn.inbox) {
            Ok(Some(head)) => self.exchange(head),
            // RFC 9112 9.8: a request that had not begun is not missing.
            Ok(None) if conn.inbox.is_over() && between.is_before_head(&conn.inbox) => {
                Next::Closing(closing(*self.0, Outcome::ByPeer))
            }
            Ok(None) if conn.inbox.has_ended() => {
                let got = conn.inbox.unread();
                let violation = Violation::new(
                    "a whole head before the end of the stream",
                    got,
                    crate::error::INCOMPLETE,
                );
                self.refuse(violation.into())
            }
            Ok(None) if between.is_met(&conn.inbox) => match between.exceeds() {
                (Waiting::Head, exceeded) => self.refuse(exceeded.into()),
                (Waiting::FirstByte | Waiting::Further, exceeded) => Next::Closing(silent(*self.0, exceeded)),
            },
            Ok(None) => Next::Wait(self),
            Err(reject) => self.refuse(reject),
        }
    }

    fn exchange(mut self, head: WholeHead<RequestLine>) -> Next {
        let Inner { conn, between } = &mut *self.0;
        let limits = &between.body.limits;
        let line = head.first;
        let section = conn.inbox.payload(head.len).take();
        let fields = match head.fields(section, line.end(), limits.fields, Reading::Strict) {
            Ok(fields) => fields,
            Err((section, error)) => {
                let head = RequestHead::without_fields(line, section.get(..line.end()).unwrap_or(&section));
                return Next::Refused(Refusal::new(error.into(), Refused::Head(head.into()), self.0));
            }
        };
        let head = RequestHead::new(line, fields);
        match Terms::of(&head, limits) {
            Ok(terms) => {
                between.body.begin(&mut conn.inbox, terms.length);
                let expects = terms.expects_continue && !between.body.is_done(&conn.inbox);
                let exchange = Exchange::new(self.0, &head, expects);
                Next::Request(head, exchange)
            }
            Err(reject) => Next::Refused(Refusal::new(reject, Refused::Head(head.into()), self.0)),
        }
    }

    fn refuse(self, reject: Reject) -> Next {
        Next::Refused(Refusal::new(reject, Refused::Unread, self.0))
    }
}

/// The rest of a body is broken, or longer than is worth reading. The response is already sent, so no error can be
/// reported to the peer.
struct NotWorthReading;

impl Between {
    /// Discards the rest of the last request's body. True if none is left.
    fn drain(&mut self, inbox: &mut Inbox) -> Result<bool, NotWorthReading> {
        if self.body.is_done(inbox) {
            return Ok(true);
        }
        let unread = inbox.len();
        self.body.discard(inbox);
        let read = convert::u64_from(unread.saturating_sub(inbox.len()));
        let left = self.drain.checked_sub(read).ok_or(NotWorthReading)?;
        self.drain = left;
        if self.body.has_failed() || self.body.remaining(inbox).is_some_and(|rest| rest > left) {
            return Err(NotWorthReading);
        }
        let is_done = self.body.is_done(inbox);
        if is_done {
            inbox.forget_silence();
        }
        Ok(is_done)
    }

    /// Parses more of the head. Returns it when it is complete.
    fn advance(&mut self, inbox: &mut Inbox) -> Result<Option<WholeHead<RequestLine>>, Reject> {
        if inbox.is_empty() {
            return Ok(None);
        }
        self.skip_empty_lines(inbox);
        let limits = &self.body.limits;
        let head = limits.head(Reader::Server);
        let target = limits.target_bytes;
        let line_exceeds = Exceeded::bytes(Limit::TargetBytes, target);
        let line = target.min(head).saturating_add(RequestLine::OVERHEAD);
        let bounds = HeadBounds { head, line, fields: limits.fields, line_exceeds };
        self.head.advance(inbox.unread(), &bounds, |text, line| {
            let parsed = RequestLine::parse(text, line.start..line.end)?;
            if parsed.target_len() > target { Err(line_exceeds.into()) } else { Ok(parsed) }
        })
    }

    /// RFC 9112 2.2: empty lines before a request line are ignored.
    fn skip_empty_lines(&mut self, inbox: &mut Inbox) {
        while self.head.first_line().is_none()
            && self.empty_lines < EMPTY_LINES
            && inbox.unread().starts_with(b"\r\n")
        {
            inbox.consume(2);
            self.head = HeadProgress::new(Reading::Strict);
            self.empty_lines += 1;
        }
    }

    /// True if nothing has arrived but empty lines that are skipped.
    fn is_before_head(&self, inbox: &Inbox) -> bool {
        let mut unread = inbox.unread();
        if unread.is_empty() {
            return true;
        }
        for _ in self.empty_lines..EMPTY_LINES {
            unread = unread.strip_prefix(b"\r\n").unwrap_or(unread);
        }
        matches!(unread, b"" | b"\r")
    }

    /// The request line of a head that has not arrived completely.
    pub(super) fn request_line(&self) -> Option<RequestLine> {
        self.head.first_line()
    }

    fn time_limit(&self) -> (Duration, Limit) {
        let limits = &self.body.limits;
        match self.waiting {
            Waiting::FirstByte => (limits.first_byte_time, Limit::FirstByteTime),
            Waiting::Further => (limits.idle_time, Limit::IdleTime),
            Waiting::Head => (limits.head_time, Limit::HeadTime),
        }
    }

    /// True if the time was over at the last look, and that found nothing.
    fn is_met(&self, inbox: &Inbox) -> bool {
        self.since.is_met(inbox.dry_at(), self.time_limit().0)
    }

    fn exceeds(&self) -> (Waiting, Exceeded) {
        let (time, limit) = self.time_limit();
        (self.waiting, Exceeded::time(limit, time))
    }
}

impl Waits for Between {
    fn found_nothing(&mut self, conn: &mut Conn, now: Instant, ask: Ask<'_>) -> bool {
        match self.drain(&mut conn.inbox) {
            Ok(true) => {}
            Ok(false) => return false,
            Err(NotWorthReading) => return true,
        }
        if conn.outbox.is_above_high_water() {
            // The request is not looked at, so its time does not run. That of the output does.
            self.since.restart();
            return false;
        }
        if !matches!(self.advance(&mut conn.inbox), Ok(None)) {
            return true;
        }
        let is_before_head = self.is_before_head(&conn.inbox);
        if self.waiting != Waiting::Head && !is_before_head {
            self.waiting = Waiting::Head;
            self.since.restart_arrived();
        }
        let (time, _) = self.time_limit();
        // Before it has the last response, the client cannot know that it may send another request.
        self.since.is_over(conn, now, time, ask) || conn.inbox.is_over()
    }

    fn pause(&mut self, conn: &mut Conn, now: Instant) {
        if !self.body.is_done(&conn.inbox) {
            self.body.pause(&mut conn.inbox, now);
        } else if self.waiting != Waiting::Head && self.is_before_head(&conn.inbox) {
            self.since.restart();
            conn.inbox.forget_look();
        }
    }

    fn deadline(&self, conn: &Conn) -> Option<Deadline> {
        if !self.body.is_done(&conn.inbox) {
            return self.body.deadline();
        }
        let (time, reason) = self.time_limit();
        self.since.end(time).map(|at| Deadline { at, reason })
    }
}
