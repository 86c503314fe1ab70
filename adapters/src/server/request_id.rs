//! The names of exchanges.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::connection::Link;

/// The name of one exchange: the number of its connection, and its own number on that connection, as in `17-3`.
///
/// It is unique among all servers of a process, and costs no more than a copy. Another process, and this one after a
/// restart, use the same names again. A name that a client or a proxy sends, such as X-Request-Id, is the application's:
///
/// ```
/// use endwell::{Answered, Exchange, http::{Response, StatusCode}};
///
/// async fn hello(exchange: Exchange) -> Answered {
///     let sent = exchange.fields().get_str("x-request-id").filter(|id| id.len() <= 64);
///     let id = sent.map_or_else(|| exchange.id().to_string(), str::to_owned);
///     match Response::new(StatusCode::OK).header("x-request-id", &id) {
///         Ok(head) => exchange.respond(head, "hello"),
///         Err(_) => exchange.respond(StatusCode::OK, "hello"),
///     }
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId {
    connection: u64,
    exchange: u64,
}

impl RequestId {
    pub(super) fn new(link: &Link, exchange: u64) -> Self {
        Self { connection: link.number, exchange }
    }

    /// The number of the connection, from 1, among all that the servers of this process have accepted.
    pub fn connection(self) -> u64 {
        self.connection
    }

    /// The number of the exchange on its connection, from 1.
    pub fn exchange(self) -> u64 {
        self.exchange
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.connection, self.exchange)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({self})")
    }
}

/// The number of the next connection of a server.
pub(crate) fn next_connection() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    // Only a name: no ordering with other memory is needed.
    LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
}
