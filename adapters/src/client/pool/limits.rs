//! The bounds of a pool: each has a number, a default and a reason.

use std::time::Duration;

/// The bounds of a [`Pool`](super::Pool).
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
    /// Connections in all, idle or not, from before they are made until their sockets are closed. Default 256: a quarter of
    /// the 1,024 descriptors that a process usually has. At least 1.
    pub connections: usize,
    /// Connections to one origin. Default 32: one origin that is slow leaves room for seven others, and a server is not
    /// overrun (RFC 9112 9.4). At least 1.
    pub per_origin: usize,
    /// Idle connections in all. Default 256, as many as there can be: fewer, and a load that comes in waves connects
    /// again with each. The one that was not used for longest closes.
    pub idle: usize,
    /// Idle connections to one origin. Default 32, for the same reason.
    pub idle_per_origin: usize,
    /// The time that a connection may be idle. Default 30 s: well before servers and what is between close it, most of them
    /// after 60 s or 75 s, so that few requests cross a close. [`Limits::idle_time`](crate::http::Limits::idle_time) counts
    /// if it is less. Zero keeps no connection.
    pub idle_time: Duration,
    /// The time that a request waits for a connection of others, or for room for one of its own. Default 30 s: half of
    /// what a response has, so whoever waits is told before everybody does. The time to connect comes on top:
    /// [`Config::connect_time`](crate::Config::connect_time).
    pub wait_time: Duration,
    /// How often [`Pool::send`](super::Pool::send) sends a request again. Default 2: what closed one connection that was
    /// idle, such as a server that starts anew, has often closed another. The last time is on a new connection; and a request
    /// that may have arrived is sent again once at the most (RFC 9110 9.2.2).
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
