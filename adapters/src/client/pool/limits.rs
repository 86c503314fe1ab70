//! The limits of a pool: each has a number, a default and a reason.

use std::time::Duration;

/// The limits of a [`Pool`](super::Pool).
///
/// ```
/// use endwell::client::PoolLimits;
///
/// let mut limits = PoolLimits::default();
/// limits.per_origin = 4;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolLimits {
    /// All connections, idle or not, from before they are made until their sockets are closed. Default 256: a quarter
    /// of the 1,024 descriptors that a process usually has. The least value used is 1.
    pub connections: usize,
    /// Connections to one origin. Default 32: one slow origin leaves room for seven others, and a server is not
    /// overloaded (RFC 9112 9.4). The least value used is 1.
    pub per_origin: usize,
    /// All idle connections. Default 256, as many as there can be: with fewer, a load that comes in waves would
    /// reconnect with each wave. The one that has been idle for longest closes.
    pub idle: usize,
    /// Idle connections to one origin. Default 32, for the same reason.
    pub idle_per_origin: usize,
    /// The time that a connection may be idle. Default 30 s: well before servers and middleboxes close it, most of them
    /// after 60 s or 75 s, so that few requests cross a close. [`HttpLimits::idle_time`](crate::http::HttpLimits::idle_time)
    /// applies if it is less. Zero keeps no connection.
    pub idle_time: Duration,
    /// The time that a request waits for another request's connection, or for room for its own. Default 30 s: half of
    /// what a response has, so that a waiting task fails before its own caller times out. The time to connect comes on
    /// top: [`ClientConfig::connect_time`](crate::ClientConfig::connect_time).
    pub wait_time: Duration,
    /// The most retries of a request by [`Pool::send`](super::Pool::send). Default 2: the cause that closed one idle
    /// connection, such as a server restart, has often closed another. The last retry uses a new connection. A request
    /// that may have arrived is retried once at most (RFC 9110 9.2.2).
    pub retries: u32,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self {
            connections: 256,
            per_origin: 32,
            idle: 256,
            idle_per_origin: 32,
            idle_time: Duration::from_secs(30),
            wait_time: Duration::from_secs(30),
            retries: 2,
        }
    }
}
