//! What is told of each exchange.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use endwell_core::Instant;
use endwell_core::http::{Method, RequestHead};

use crate::connection::Link;
use crate::info::Address;
use crate::{Ended, OnExchange};

/// What became of one exchange: [`ServerConfig::on_exchange`](crate::ServerConfig::on_exchange) is called with it.
///
/// ```
/// use std::sync::Arc;
///
/// let mut config = endwell::ServerConfig::default();
/// config.on_exchange = Some(Arc::new(|report| {
///     eprintln!("{} {} {:?} {:?}", report.method(), report.head().path(), report.status(), report.time());
///     if let Some(error) = report.error() {
///         eprintln!("  {error}");
///     }
/// }));
/// ```
pub struct ExchangeReport {
    link: Arc<Link>,
    head: RequestHead,
    status: Option<u16>,
    time: Duration,
    handler_end: HandlerEnd,
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

impl ExchangeReport {
    /// The head of the request.
    pub fn head(&self) -> &RequestHead {
        &self.head
    }

    /// The method of the request.
    pub fn method(&self) -> Method<'_> {
        self.head.method()
    }

    /// The status of the response, also of one that the library made, and 101 for a WebSocket. `None` if no response had
    /// begun when the handler ended.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// The time from the head of the request until the handler ended. For a WebSocket, that is its whole time.
    pub fn time(&self) -> Duration {
        self.time
    }

    /// How the handler ended.
    pub fn handler_end(&self) -> &HandlerEnd {
        &self.handler_end
    }

    /// The error that the handler returned, if it did.
    pub fn error(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        match &self.handler_end {
            HandlerEnd::Failed(error) => Some(&**error),
            HandlerEnd::Answered | HandlerEnd::Ended(_) | HandlerEnd::Panicked | HandlerEnd::Cancelled => {
                None
            }
        }
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
            .field("head", &self.head)
            .field("status", &self.status)
            .field("time", &self.time)
            .field("handler_end", &self.handler_end)
            .finish_non_exhaustive()
    }
}

/// An exchange whose handler runs, if there is a callback to tell of it. A handler that is dropped with its connection
/// was cancelled.
pub(crate) struct Pending {
    tell: OnExchange,
    began: Instant,
    report: ExchangeReport,
}

impl Pending {
    pub(crate) fn new(tell: &OnExchange, link: &Arc<Link>, head: &RequestHead) -> Box<Self> {
        let report = ExchangeReport {
            link: Arc::clone(link),
            head: head.clone(),
            status: None,
            time: Duration::ZERO,
            handler_end: HandlerEnd::Cancelled,
        };
        Box::new(Self { tell: Arc::clone(tell), began: link.lock().clock(), report })
    }

    /// The target of the request.
    pub(crate) fn target(&self) -> String {
        self.report.head.target().to_string()
    }

    /// Tells that the handler has ended.
    pub(crate) fn tell(mut self: Box<Self>, outcome: HandlerEnd) {
        self.report.handler_end = outcome;
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let connection = self.report.link.lock();
        let (status, now) = (connection.status, connection.clock());
        drop(connection);
        self.report.status = status;
        self.report.time = now.saturating_since(self.began);
        (self.tell)(&self.report);
    }
}
