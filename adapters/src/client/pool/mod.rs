//! Connections that are kept and shared.

mod error;
#[cfg(test)]
mod laws;
mod limits;
mod number;
mod places;
mod queue;
mod send;
mod shared;

use std::fmt;
use std::sync::Arc;

pub use error::{PoolError, SendError};
pub use limits::PoolLimits;
pub(super) use shared::Member;
use shared::{Admission, Place, Shared};

use super::connection::Connection;
use super::dial::{dial, within};
use super::origin::Origin;
use crate::Config;
use crate::transport::Connector;

/// Client connections that are kept from one request to the next, and shared: bounded, by origin.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// use endwell::client::{Pool, PoolLimits, Url};
/// use endwell::http::{Method, RequestHead};
/// use endwell::{Config, tokio::Tcp};
///
/// let pool = Pool::new(Tcp, Config::default(), PoolLimits::default());
/// let url = Url::parse("http://example.com/")?;
/// let head = RequestHead::new(Method::Get, url.authority(), url.target())?;
/// let mut received = pool.send(&url.origin(), &head, "").await?;
/// println!("{}, sent again {} times", received.status(), received.retries());
/// let body = received.read_all(1 << 20).await?;
/// # Ok(())
/// # }
/// ```
///
/// - [`send`](Self::send) sends a request, again if need be and if it may be. [`connection`](Self::connection) gives a
///   [`Connection`] for everything else: a body in pieces, an expectation, a WebSocket.
/// - A connection goes back when it is dropped and nothing is open on it: a [`Connection`], or a
///   [`Received`](super::Received) whose request is written and whose body was read, or has come, to its end. Whatever else
///   is dropped closes it. So a request that is cancelled at any point never leaves half an exchange to the next one.
/// - A connection whose server has closed it, or sent anything unasked, leaves the pool when that arrives, and is looked at
///   again before it is handed out ([`Connection::is_open`]). What arrives later nobody can know: that is what sending again
///   is for.
/// - The bounds are on sockets: a place is taken from before the connection is made until its socket is closed, whatever it
///   speaks. A WebSocket keeps its place to its end; who opens many gives them a pool of their own, or uses
///   [`ws::connect`](crate::ws::connect).
/// - Whoever must wait does so in the order of arrival among those who can be served: nobody waits behind somebody whose
///   origin has no room. If there is no room in all, the connection closes that was idle for longest.
///
/// A pool has one connector, and that is what knows of TLS and of proxies. So connections are told apart by origin alone;
/// other certificates or another proxy are another connector, and another pool.
///
/// It is a handle: clones share the connections. When the last one is dropped, idle connections close, and the others
/// when they would come back.
pub struct Pool<C> {
    common: Arc<Common<C>>,
}

struct Common<C> {
    connector: C,
    config: Config,
    limits: PoolLimits,
    shared: Arc<Shared>,
}

/// How many connections a [`Pool`] has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Occupancy {
    /// All of them: those that are made, used, idle, and those whose sockets are not closed yet.
    pub connections: usize,
    /// Those of them that are idle.
    pub idle: usize,
    /// How many requests wait for one.
    pub waiting: usize,
}

/// Whether a connection may be one that was used before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Any,
    New,
}

impl<C: Connector> Pool<C> {
    /// A pool without connections. Of `config` those bounds count that do for [`Connection::over`], and
    /// [`Config::connect_time`].
    pub fn new(connector: C, mut config: Config, mut limits: PoolLimits) -> Self {
        if limits.idle_time.is_zero() {
            // As a limit of each connection it would end new ones before their first request.
            limits.idle = 0;
        } else {
            config.http.idle_time = config.http.idle_time.min(limits.idle_time);
        }
        let shared = Shared::new(limits.clone());
        Self { common: Common { connector, config, limits, shared }.into() }
    }

    /// A connection on which no request is open: one that was idle, or a new one. It goes back when it is dropped, or what
    /// has become of it; see [`Pool`].
    ///
    /// # Errors
    ///
    /// None was free within [`PoolLimits::wait_time`], or as [`connect`](super::connect).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, nothing is left of it: the turn in the line is the next one's, and so is a connection that
    /// it was given and did not return.
    pub async fn connection(&self, origin: &Origin) -> Result<Connection, PoolError> {
        self.obtain(origin, Wanted::Any).await
    }

    /// How many connections there are.
    pub fn occupancy(&self) -> Occupancy {
        let counted = self.common.shared.counted();
        Occupancy { connections: counted.taken, idle: counted.idle, waiting: counted.waiting }
    }

    async fn obtain(&self, origin: &Origin, wanted: Wanted) -> Result<Connection, PoolError> {
        let Common { connector, config, limits, shared } = &*self.common;
        let admission = within(limits.wait_time, admit(shared, origin, wanted), C::sleep).await;
        let place = match admission {
            Some(Admission::Idle(connection)) => return Ok(connection),
            Some(Admission::Place(place)) => place,
            None => return Err(PoolError::Busy(limits.wait_time)),
        };
        let (connection, driver) = dial(connector, origin, config).await?;
        let member = place.member();
        connector.spawn(Place::keep(driver, place))?;
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
