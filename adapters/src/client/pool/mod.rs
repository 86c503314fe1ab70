//! Keeps and shares connections.

mod error;
#[cfg(test)]
mod laws;
mod limits;
mod number;
mod places;
mod queue;
mod request;
mod send;
#[cfg(feature = "tower")]
mod service;
mod shared;
#[cfg(feature = "http-body")]
mod upload;

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

pub use error::{PoolError, SendError};
pub use limits::PoolLimits;
pub use request::RequestBuilder;
#[cfg(feature = "tower")]
pub use service::SendRequest;
pub(super) use shared::Member;
use shared::{Admission, Place, Shared};

use super::connection::Connection;
use super::dial::{before, dial};
use super::origin::Origin;
use super::total_time::TotalTime;
use crate::ClientConfig;
use crate::connection as driven;
use crate::runtime::Runtime as _;
use crate::transport::Connector;

/// Client connections that are kept from one request to the next, and shared: bounded, by origin.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// use endwell::client::{Pool, PoolLimits};
/// use endwell::{ClientConfig, tokio::Tcp};
///
/// let pool = Pool::new(Tcp, ClientConfig::default(), PoolLimits::default());
/// let mut response = pool.get("http://example.com/").send().await?;
/// println!("{}, sent again {} times", response.status(), response.retries());
/// let body = response.read_all(1 << 20).await?;
/// # Ok(())
/// # }
/// ```
///
/// - [`get`](Self::get), [`post`](Self::post) and the others build a request from a URL; [`send`](Self::send) takes one that is
///   built. Both retry it if that is needed and allowed. With feature `tower`, a pool is a `tower::Service`.
///   [`connection`](Self::connection) returns a [`Connection`] for everything else: a body in pieces, an expectation, a
///   WebSocket.
/// - A connection goes back to the pool when it is dropped without an open exchange: as a [`Connection`], or as a
///   [`Response`](super::ResponseReader) whose request is written and whose body was read, or has arrived, to its end.
///   Dropping anything else closes it. So a request that is cancelled at any point never leaves half an exchange to the
///   next one.
/// - A connection whose server has closed it, or sent anything unsolicited, leaves the pool when that arrives. It is
///   checked again before it is handed out ([`Connection::is_open`]). What arrives later cannot be known then: retries
///   handle that.
/// - The limits are on sockets: a place is taken from before the connection is made until its socket is closed,
///   whatever protocol it uses. A WebSocket keeps its place to its end. To open many, give them their own pool, or use
///   [`ws::Socket::connect`](crate::ws::Socket::connect).
/// - Waiting requests are served in order of arrival among those that can be served: no request waits behind one whose
///   origin has no room. If the pool is full, the connection that has been idle for longest closes.
///
/// A pool has one connector, which handles TLS and proxies. So connections are distinguished by origin alone; other
/// certificates or another proxy need another connector, and another pool.
///
/// It is a handle: clones share the connections. When the last clone is dropped, idle connections close, and the others
/// close when they would come back.
pub struct Pool<C> {
    common: Arc<Common<C>>,
}

struct Common<C> {
    connector: C,
    connect_time: Duration,
    /// Of all its connections.
    driven: Arc<driven::Shared>,
    limits: PoolLimits,
    shared: Arc<Shared>,
}

/// The number of connections of a [`Pool`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Occupancy {
    /// All connections: being made, in use, idle, and those whose sockets are not closed yet.
    pub connections: usize,
    /// The idle connections among them.
    pub idle: usize,
    /// The number of requests that wait for one.
    pub waiting: usize,
}

/// Whether a connection may have been used before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Any,
    New,
}

impl<C: Connector> Pool<C> {
    /// Makes a pool without connections. Each of its connections is made as [`Connection::connect`](super::Connection::connect) does.
    pub fn new(connector: C, mut config: ClientConfig, mut limits: PoolLimits) -> Self {
        if limits.idle_time.is_zero() {
            // As a limit of each connection it would end new ones before their first request.
            limits.idle = 0;
        } else {
            config.http.idle_time = config.http.idle_time.min(limits.idle_time);
        }
        let shared = Shared::new(limits.clone());
        let driven = driven::Shared::alone(&config);
        let connect_time = config.connect_time;
        Self { common: Common { connector, connect_time, driven, limits, shared }.into() }
    }

    /// Returns a connection without an open request: an idle one, or a new one. When it, or what it has become, is
    /// dropped, it goes back; see [`Pool`].
    ///
    /// # Errors
    ///
    /// If no connection was free within [`PoolLimits::wait_time`], or those of [`Connection::connect`](super::Connection::connect).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves nothing behind: its turn, and a connection that it was granted and did not return, go
    /// to the next waiting request.
    pub async fn connection(&self, origin: &Origin) -> Result<Connection, PoolError> {
        self.obtain(origin, Wanted::Any).await
    }

    /// The number of connections.
    pub fn occupancy(&self) -> Occupancy {
        let counted = self.common.shared.counted();
        Occupancy { connections: counted.taken, idle: counted.idle, waiting: counted.waiting }
    }

    /// Obtains a connection, but only within `time`.
    async fn obtain_within(
        &self,
        origin: &Origin,
        wanted: Wanted,
        time: &mut Option<TotalTime>,
    ) -> Result<Connection, PoolError> {
        let Some(time) = time else { return self.obtain(origin, wanted).await };
        let whole = time.time();
        let obtained = before(poll_fn(|cx| time.poll_over(cx)), self.obtain(origin, wanted)).await;
        obtained.unwrap_or(Err(PoolError::Timeout(whole)))
    }

    async fn obtain(&self, origin: &Origin, wanted: Wanted) -> Result<Connection, PoolError> {
        let Common { connector, connect_time, driven, limits, shared } = &*self.common;
        let runtime = connector.runtime();
        let admission = before(runtime.sleep(limits.wait_time), admit(shared, origin, wanted)).await;
        let place = match admission {
            Some(Admission::Idle(connection)) => return Ok(connection),
            Some(Admission::Place(place)) => place,
            None => return Err(PoolError::Busy(limits.wait_time)),
        };
        let (connection, driver) = dial(connector, origin, *connect_time, Arc::clone(driven)).await?;
        let member = place.member();
        runtime.spawn(Place::keep(driver, place))?;
        Ok(connection.joined(member))
    }
}

/// A connection that is open, as far as is known, or a place for a new one.
async fn admit(shared: &Arc<Shared>, origin: &Origin, wanted: Wanted) -> Admission {
    let mut admission = shared.admit(origin).await;
    loop {
        match admission {
            Admission::Idle(mut connection) => {
                if wanted == Wanted::Any && connection.is_open() {
                    return Admission::Idle(connection);
                }
                admission = shared.renew(connection, origin).await;
            }
            Admission::Place(place) => return Admission::Place(place),
        }
    }
}

impl<C> Clone for Pool<C> {
    fn clone(&self) -> Self {
        Self { common: Arc::clone(&self.common) }
    }
}

impl<C> fmt::Debug for Pool<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = self.common.shared.counted();
        f.debug_struct("Pool")
            .field("connections", &counted.taken)
            .field("idle", &counted.idle)
            .finish_non_exhaustive()
    }
}
