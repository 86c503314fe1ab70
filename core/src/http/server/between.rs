//! Between requests: no response can be written.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::exchange::{Continue, Exchange};
use super::linger::Linger;
use super::receive::RequestBody;
use super::refusal::{Refusal, Reject};
use super::respond::Responder;
use crate::http::grammar::lines::LineScan;
use crate::http::grammar::reading::Reader;
use crate::http::grammar::target;
use crate::http::received::length::{BodyLength, Undecidable};
use crate::http::received::request::{InvalidRequestLine, Request, RequestLine};
use crate::http::{Fields, Limits, Method, Reading, StatusCode, Version};
use crate::{Deadline, Exceeded, Inbox, Instant, Limit, Step, Violation};

/// A connection without an open request. It can only receive.
///
/// [`poll`](Self::poll) ends it: in an [`Exchange`], in a [`Refusal`], or because the peer left.
#[derive(Debug)]
#[must_use = "dropping a server state closes the connection"]
pub struct Server {
    inbox: Box<Inbox>,
    limits: Arc<Limits>,
    /// Those skipped so far. RFC 9112 2.2.
    empty_lines: u8,
    progress: HeadProgress,
    waiting: Waiting,
    since: Option<Instant>,
}

/// Empty lines before a request line that are skipped; one more is refused. Some clients send one after a body, and
/// proxies forward those of several clients. An empty line does not begin a head, so the time for its first byte runs
/// on.
const EMPTY_LINES: u8 = 8;

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

/// How much of a head is parsed.
#[derive(Debug)]
enum HeadProgress {
    RequestLine(LineScan),
    Fields(LineScan, RequestLine),
}

/// What follows the wait between requests.
#[derive(Debug)]
#[must_use = "an exchange must be answered"]
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once")]
pub enum Next {
    /// A request, and the right to answer it.
    Exchange(Exchange),
    /// No request will come, and no response is due: close.
    Closed(Closed),
}

/// Why no further request will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The peer ended its stream between two requests: the ordinary end.
    ByPeer,
    /// The peer stayed silent for longer than a limit: [`Limit::FirstByteTime`] or [`Limit::IdleTime`].
    Silent(Exceeded),
}

impl Server {
    /// Makes a new connection.
    pub fn new(limits: Arc<Limits>) -> Self {
        let inbox = Inbox::new(limits.received(Reader::Server));
        Self::between(inbox.into(), limits, Waiting::FirstByte)
    }

    pub(super) fn again(mut inbox: Box<Inbox>, limits: Arc<Limits>) -> Self {
        inbox.forget_silence();
        Self::between(inbox, limits, Waiting::Further)
    }

    fn between(inbox: Box<Inbox>, limits: Arc<Limits>, waiting: Waiting) -> Self {
        let progress = HeadProgress::RequestLine(LineScan::new(Reading::Strict));
        Self { inbox, limits, empty_lines: 0, progress, waiting, since: None }
    }

    /// The inbox for received bytes.
    pub fn inbox(&mut self) -> &mut Inbox {
        &mut self.inbox
    }

    /// True if no byte of a further request has arrived: closing now loses no request.
    pub fn is_idle(&self) -> bool {
        self.is_before_head()
    }

    /// Accepts no further request. The peer only sees the end of the stream.
    pub fn close(self) -> Linger {
        Linger::new(self.inbox, self.limits)
    }

    /// Returns the next request, if its head has arrived completely.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] if the peer broke the protocol or met a limit within a head. It is the one response that is still
    /// allowed, and the connection closes after it.
    pub fn poll(mut self) -> Result<Step<Self, Next>, Refusal> {
        match self.advance() {
            Ok(Some((line, end))) => self.exchange(line, end).map(|e| Step::Done(Next::Exchange(e))),
            // RFC 9112 9.8: a request that had not begun is not missing.
            Ok(None) if self.inbox.is_over() && self.is_before_head() => {
                Ok(Step::Done(Next::Closed(Closed::ByPeer)))
            }
            Ok(None) if self.inbox.has_ended() => {
                let got = self.inbox.unread();
                let violation =
                    Violation::new("a whole head before the end of the stream", got, "RFC 9112 8");
                Err(self.refuse(violation.into()))
            }
            Ok(None) => self.wait(),
            Err(reject) => Err(self.refuse(reject)),
        }
    }

    /// Restarts the time for the next request, because the last response is still on its way to the peer
    /// ([`Outbox::is_on_its_way`](crate::Outbox::is_on_its_way)). The clock starts again with the next look at the stream
    /// ([`Inbox::dry`]). The time of a head that has begun runs on.
    pub fn pause(&mut self) {
        if self.waiting != Waiting::Head && self.is_before_head() {
            self.since = None;
            self.inbox.forget_look();
        }
    }

    /// When to poll again even if nothing arrives: read first, then call [`Inbox::dry`].
    pub fn deadline(&self) -> Option<Deadline> {
        let (time, reason) = self.time_limit();
        self.since.map(|since| Deadline { at: since.saturating_add(time), reason })
    }

    fn time_limit(&self) -> (core::time::Duration, Limit) {
        match self.waiting {
            Waiting::FirstByte => (self.limits.first_byte_time, Limit::FirstByteTime),
            Waiting::Further => (self.limits.idle_time, Limit::IdleTime),
            Waiting::Head => (self.limits.head_time, Limit::HeadTime),
        }
    }

    fn wait(mut self) -> Result<Step<Self, Next>, Refusal> {
        if self.waiting != Waiting::Head && !self.is_before_head() {
            self.waiting = Waiting::Head;
            self.since = None;
        }
        let Some(now) = self.inbox.dry_at() else { return Ok(Step::Wait(self)) };
        let since = *self.since.get_or_insert(now);
        let (time, limit) = self.time_limit();
        if now < since.saturating_add(time) {
            return Ok(Step::Wait(self));
        }
        let exceeded = Exceeded::time(limit, time);
        match self.waiting {
            Waiting::FirstByte | Waiting::Further => Ok(Step::Done(Next::Closed(Closed::Silent(exceeded)))),
            Waiting::Head => Err(self.refuse(exceeded.into())),
        }
    }

    /// True if nothing has arrived but empty lines that are skipped.
    fn is_before_head(&self) -> bool {
        let mut unread = self.inbox.unread();
        for _ in self.empty_lines..EMPTY_LINES {
            unread = unread.strip_prefix(b"\r\n").unwrap_or(unread);
        }
        matches!(unread, b"" | b"\r")
    }

    /// RFC 9112 2.2: empty lines before a request line are ignored.
    fn skip_empty_lines(&mut self) {
        while matches!(self.progress, HeadProgress::RequestLine(_))
            && self.empty_lines < EMPTY_LINES
            && self.inbox.unread().starts_with(b"\r\n")
        {
            self.inbox.consume(2);
            self.progress = HeadProgress::RequestLine(LineScan::new(Reading::Strict));
            self.empty_lines += 1;
        }
    }

    /// Parses more of the head. When the head is complete, returns its request line and its end.
    fn advance(&mut self) -> Result<Option<(RequestLine, usize)>, Reject> {
        self.skip_empty_lines();
        let bound = self.limits.head(Reader::Server);
        let unread = self.inbox.unread();
        let text = unread.get(..bound).unwrap_or(unread);
        loop {
            match &mut self.progress {
                HeadProgress::RequestLine(scan) => {
                    let line_bound =
                        self.limits.target_bytes.min(bound).saturating_add(RequestLine::OVERHEAD);
                    let start = scan.line_start();
                    // Checked before the line's end is searched, so that no split changes the verdict.
                    let capped = text.get(..start.saturating_add(line_bound)).unwrap_or(text);
                    let Some(line) = scan.next_line(capped)? else {
                        if capped.len().saturating_sub(start) >= line_bound {
                            return Err(Exceeded::bytes(Limit::TargetBytes, self.limits.target_bytes).into());
                        }
                        return head_so_far(text, bound);
                    };
                    let parsed = RequestLine::parse(text, line.start..line.end)?;
                    if parsed.target_len() > self.limits.target_bytes {
                        return Err(Exceeded::bytes(Limit::TargetBytes, self.limits.target_bytes).into());
                    }
                    self.progress = HeadProgress::Fields(*scan, parsed);
                }
                HeadProgress::Fields(scan, request_line) => match scan.next_line(text)? {
                    Some(line) if line.is_empty() => {
                        return Ok(Some((*request_line, line.next)));
                    }
                    Some(_) => {}
                    None => return head_so_far(text, bound),
                },
            }
        }
    }

    fn exchange(mut self, line: RequestLine, end: usize) -> Result<Exchange, Refusal> {
        let section = self.inbox.payload(end).take();
        let fields = match Fields::parse(section, line.end(), self.limits.fields, Reading::Strict) {
            Ok(fields) => fields,
            Err((section, error)) => {
                let is_head = line.method(&section) == Method::Head;
                return Err(Refusal::new(error.into(), is_head, self.inbox, self.limits));
            }
        };
        let request = Request::new(line, fields);
        match Terms::of(&request, &self.limits) {
            Ok(terms) => Ok(self.open(request, &terms)),
            Err(reject) => {
                let is_head = request.method() == Method::Head;
                Err(Refusal::new(reject, is_head, self.inbox, self.limits))
            }
        }
    }

    fn open(self, head: Request, terms: &Terms) -> Exchange {
        let recv = RequestBody::new(self.inbox, self.limits, terms.length);
        let expects = terms.expects_continue && !recv.is_done();
        let send = Responder::new(&head, expects);
        Exchange { head, expect: expects.then(Continue::new), recv, send }
    }

    fn refuse(self, reject: Reject) -> Refusal {
        let unread = self.inbox.unread();
        let is_head = match &self.progress {
            // RFC 9110 9.3.2: no content in a response to HEAD, even if the rest of its line cannot be parsed.
            HeadProgress::RequestLine(_) => unread.starts_with(b"HEAD "),
            HeadProgress::Fields(_, line) => line.method(unread) == Method::Head,
        };
        Refusal::new(reject, is_head, self.inbox, self.limits)
    }
}

/// Fails if `text`, the incomplete start of a head, is already too large.
fn head_so_far<T>(text: &[u8], bound: usize) -> Result<Option<T>, Reject> {
    if text.len() >= bound {
        return Err(Exceeded::bytes(Limit::HeadBytes, bound).into());
    }
    Ok(None)
}

/// What a complete head determines about its exchange before any response.
pub(in crate::http) struct Terms {
    pub(in crate::http) length: BodyLength,
    pub(in crate::http) expects_continue: bool,
}

impl Terms {
    pub(in crate::http) fn of(request: &Request, limits: &Limits) -> Result<Self, Reject> {
        check_host(request)?;
        let fields = request.fields();
        let length = match BodyLength::of_request(fields, request.version()) {
            Ok(length) => length,
            Err(Undecidable::Invalid(violation)) => return Err(violation.into()),
            Err(Undecidable::UnknownCoding(violation)) => {
                return Err(Reject::new(StatusCode::NOT_IMPLEMENTED, violation));
            }
        };
        if matches!(length, BodyLength::Known(length) if length > limits.body_bytes) {
            let bound = crate::Bound::Bytes(limits.body_bytes);
            return Err(Exceeded { limit: Limit::BodyBytes, bound }.into());
        }
        let mut expects_continue = false;
        for expectation in fields.list("expect") {
            if !expectation.eq_ignore_ascii_case(b"100-continue") {
                let violation =
                    Violation::new("the expectation 100-continue", expectation, "RFC 9110 10.1.1");
                return Err(Reject::new(StatusCode::EXPECTATION_FAILED, violation));
            }
            // RFC 9110 10.1.1: the expectation of an HTTP/1.0 request is ignored.
            expects_continue = request.version() == Version::Http11;
        }
        Ok(Self { length, expects_continue })
    }
}

/// RFC 9112 3.2: one valid Host in HTTP/1.1; at most one in HTTP/1.0.
fn check_host(request: &Request) -> Result<(), Reject> {
    let mut hosts = request.fields().get_all("host");
    let first = hosts.next();
    if let Some(second) = hosts.next() {
        return Err(Violation::new("one Host field", second, "RFC 9112 3.2").into());
    }
    let Some(host) = first else {
        return match request.version() {
            Version::Http10 => Ok(()),
            Version::Http11 => Err(Violation::new("a Host field", b"", "RFC 9112 3.2").into()),
        };
    };
    let valid =
        target::is_authority(host).ok_or_else(|| Violation::new("a valid Host", host, "RFC 9112 3.2"))?;
    // RFC 9110 7.2: Host is empty only if the target has no authority, which an http target always has.
    if !valid.host && !request.target_has_authority() && !host.is_empty() {
        return Err(Violation::new("a host before the port", host, "RFC 9112 3.2").into());
    }
    Ok(())
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
