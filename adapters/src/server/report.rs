//! What is told of each exchange.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use endwell_core::Instant;
use endwell_core::http::{Method, RequestHead, Version};

use super::observed::{Handler, Phase, Record};
use super::request_id::RequestId;
use crate::Ended;
use crate::connection::Link;
use crate::info::Address;
use crate::tracing::ExchangeSpan;

/// What became of one exchange: [`ServerConfig::on_exchange`](crate::ServerConfig::on_exchange) is called with it, once for
/// each.
///
/// An exchange begins when the head of its request has arrived, or is refused. It ends when the handler has ended, the
/// body of the request is done with, and the transport has taken the whole response; or when the connection ends before.
/// One that became a WebSocket or another protocol ends with its connection.
///
/// ```
/// let config = endwell::ServerConfig::default().on_exchange(|report| {
///     eprintln!("{}: {} {:?} {:?}", report.id(), report.request_line(), report.status(), report.time());
///     if let Some(cause) = report.cause() {
///         eprintln!("  {cause}");
///     }
///     if let Some(error) = report.error() {
///         eprintln!("  {error}");
///     }
/// });
/// ```
pub struct ExchangeReport {
    link: Arc<Link>,
    record: Record,
    told: Instant,
}

/// How a handler ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HandlerEnd {
    /// It returned [`Answered`](crate::Answered).
    Answered,
    /// It returned how the connection had ended, as a handler of a WebSocket does, and one whose client left. The end of
    /// another connection, returned without an answer, is a failure: [`Failed`](Self::Failed).
    Ended(Ended),
    /// It returned this error.
    Failed(Arc<dyn Error + Send + Sync>),
    /// It panicked.
    Panicked,
    /// It was dropped: its connection had ended, its time was over, or the server was dropped.
    Cancelled,
}

/// The number of messages that a WebSocket passed on, without pings, pongs and Closes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageCounts {
    /// Messages that the application received, or that were discarded because nothing received them any more.
    pub received: u64,
    /// Messages that were queued to be written.
    pub sent: u64,
}

impl ExchangeReport {
    pub(super) fn new(link: Arc<Link>, record: Record, told: Instant) -> Self {
        Self { link, record, told }
    }

    /// Ends the span of the exchange, or of a request that no handler saw makes one.
    pub(super) fn tell_span(&self) {
        let span = &self.record.span;
        if span.is_some() {
            span.end(self);
        } else if ExchangeSpan::is_wanted() {
            ExchangeSpan::new(&self.link.span, self.id(), self.head(), &self.link.info).end(self);
        }
    }

    /// The name of the exchange.
    pub fn id(&self) -> RequestId {
        RequestId::new(&self.link, self.record.number)
    }

    /// The head of the request. `None` if it was refused before its first line was read: that was invalid, too long, or
    /// late. The head of a request that was refused later may lack its fields.
    pub fn head(&self) -> Option<&RequestHead> {
        self.record.head.as_ref()
    }

    /// The method of the request. `None` without a [`head`](Self::head).
    pub fn method(&self) -> Option<Method<'_>> {
        self.head().map(RequestHead::method)
    }

    /// The whole target of the request as it was sent. `None` without a [`head`](Self::head).
    pub fn target(&self) -> Option<&str> {
        self.head().map(RequestHead::target_str)
    }

    /// The version of the request. `None` without a [`head`](Self::head).
    pub fn version(&self) -> Option<Version> {
        self.head().map(RequestHead::version)
    }

    /// The first line of the request, for a log: `GET /path HTTP/1.1`, or `-` without a [`head`](Self::head). Quotes,
    /// backslashes and control characters are escaped.
    pub fn request_line(&self) -> impl fmt::Display {
        RequestLine(self.head())
    }

    /// The status of the response, also of one that the library made, and 101 for a WebSocket. `None` if no response had
    /// begun.
    pub fn status(&self) -> Option<u16> {
        self.record.status
    }

    /// The bytes of the request's body that were read, or discarded. For an exchange that became a WebSocket or another
    /// protocol, all bytes that came after its request.
    pub fn received_bytes(&self) -> u64 {
        self.record.received
    }

    /// The bytes of the response's body that the transport took, with the framing of chunks. For an exchange that became a
    /// WebSocket or another protocol, all bytes that it took after the response.
    pub fn sent_bytes(&self) -> u64 {
        self.record.sent()
    }

    /// The messages of the WebSocket. `None` if the exchange did not become one.
    pub fn messages(&self) -> Option<MessageCounts> {
        self.record.messages
    }

    /// True if the exchange became a WebSocket or another protocol.
    pub fn is_upgraded(&self) -> bool {
        self.record.phase == Phase::Upgraded
    }

    /// True if the transport took the whole response: that of the handshake for a WebSocket. The peer may still have lost
    /// it.
    pub fn is_whole(&self) -> bool {
        self.record.is_whole
    }

    /// Why the exchange did not end as the handler decided, by blame: why the request was refused, why the library
    /// responded in place of the handler, or how the connection ended before the exchange did. For a WebSocket and another
    /// protocol, how its connection ended. `None` for an ordinary exchange, also if its handler [failed](Self::error) and
    /// was answered for.
    pub fn cause(&self) -> Option<&Ended> {
        self.record.cause.as_ref()
    }

    /// How the handler ended. `None` if none was called: the request was refused, or the server held too much.
    pub fn handler_end(&self) -> Option<&HandlerEnd> {
        match &self.record.handler {
            Handler::Ended(end) => Some(end),
            Handler::NotCalled | Handler::Runs => None,
        }
    }

    /// The error that the handler returned, if it did.
    pub fn error(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        match self.handler_end()? {
            HandlerEnd::Failed(error) => Some(&**error),
            HandlerEnd::Answered | HandlerEnd::Ended(_) | HandlerEnd::Panicked | HandlerEnd::Cancelled => {
                None
            }
        }
    }

    /// What went wrong, in a word for metrics. `None` if nothing did.
    ///
    /// | word | what went wrong |
    /// |---|---|
    /// | `protocol` | the client broke the protocol |
    /// | `limit` | the client met a limit, of size or of time |
    /// | `closed` | the client ended its stream within the exchange |
    /// | `transport` | the transport failed, as when a client resets the connection |
    /// | `panic`, `handler` | the handler panicked, or returned an error |
    /// | `unanswered` | the handler did not respond: it dropped its exchange, or its time was over |
    /// | `aborted` | the handler cut its response off |
    /// | `overload` | the server held too much |
    /// | `shutdown` | the server was shut down, and the exchange had not ended in time |
    /// | `cancelled` | the task of the connection was dropped |
    pub fn error_type(&self) -> Option<&'static str> {
        match self.handler_end() {
            Some(HandlerEnd::Panicked) => Some("panic"),
            Some(HandlerEnd::Failed(_)) => Some("handler"),
            _ => self.cause().and_then(Ended::error_type),
        }
    }

    /// When the head of the request had arrived, or was refused, by the clock of the system.
    pub fn began_at(&self) -> SystemTime {
        let now = SystemTime::now();
        now.checked_sub(self.told.saturating_since(self.record.began)).unwrap_or(now)
    }

    /// The time from then until the response was queued, or its first bytes. `None` if no response had begun.
    pub fn time_to_response(&self) -> Option<Duration> {
        self.record.responded.map(|at| at.saturating_since(self.record.began))
    }

    /// The time from the head of the request to the end of the exchange.
    pub fn time(&self) -> Duration {
        self.record.ended.saturating_since(self.record.began)
    }

    /// The address of the other side.
    pub fn peer_address(&self) -> &Address {
        &self.link.info.peer
    }

    /// The address of this side.
    pub fn local_address(&self) -> &Address {
        &self.link.info.local
    }

    /// The fact of type `T` that a layer of the connection knows, such as `tls::TlsInfo`. `None` if none does.
    pub fn info<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.link.info.get()
    }

    /// True if the connection uses TLS.
    pub fn is_secure(&self) -> bool {
        self.link.info.is_secure
    }
}

impl fmt::Debug for ExchangeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeReport")
            .field("id", &self.id())
            .field("head", &self.head())
            .field("status", &self.status())
            .field("received_bytes", &self.received_bytes())
            .field("sent_bytes", &self.sent_bytes())
            .field("is_whole", &self.is_whole())
            .field("cause", &self.cause())
            .field("handler_end", &self.handler_end())
            .field("time", &self.time())
            .finish_non_exhaustive()
    }
}

struct RequestLine<'a>(Option<&'a RequestHead>);

impl fmt::Display for RequestLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(head) => {
                let target = head.target_str().escape_debug();
                write!(f, "{} {target} {}", head.method(), head.version())
            }
            None => f.write_str("-"),
        }
    }
}
