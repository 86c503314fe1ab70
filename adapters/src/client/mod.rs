//! A client's connections.
//!
//! ```no_run
//! # async fn f() -> Result<(), Box<dyn std::error::Error>> {
//! use endwell::http::{Method, Request};
//! use endwell::{ClientConfig, client, tokio::Tcp};
//!
//! let url = client::Url::parse("http://example.com/")?;
//! let connection = client::Connection::connect(&Tcp, &url.origin(), &ClientConfig::default()).await?;
//! let head = Request::new(Method::Get, url.authority(), url.target())?;
//! let mut response = connection.send(&head, "").await?;
//! println!("{}", response.status());
//! while let Some(piece) = response.read().await? {
//!     println!("{} bytes", piece.len());
//! }
//! let Some(connection) = response.finish().await else { return Ok(()) };
//! let response = connection.send(&head, "").await?;
//! # Ok(())
//! # }
//! ```
//!
//! - A [`Connection`] is the right to send the next request. Sending consumes it.
//! - It yields two values for use side by side, also in two tasks: a [`RequestWriter`] to write the request, and a [`ResponseFuture`]
//!   to wait for. The response may come, and even end, before the request does.
//! - [`ResponseReader::finish`] returns the connection, if both are complete and neither side announced the close. Nothing
//!   else returns it: dropping any of these values closes it.
//! - A [`Pool`] keeps connections from one request to the next and shares them. A dropped connection goes back to it,
//!   if no exchange is open on it. [`Pool::get`] and the others build a request from a URL; most programs need no more.
//! - A connection has its own task, its [`Driver`](crate::Driver), which reads while a request is written, keeps the time
//!   limits of [`HttpLimits`](crate::http::HttpLimits), and notices when the server of an idle connection leaves.

#[cfg(any(feature = "tokio", feature = "async-std", feature = "smol", feature = "blocking"))]
mod addresses;
mod asked;
mod asking;
mod body;
mod config;
mod connection;
mod dial;
mod origin;
mod pool;
pub mod proxy;
mod request_error;
mod response;
mod response_future;
mod switch;
mod total_time;
mod tunnel;
mod upgrade;
#[cfg(feature = "http")]
mod uri;
mod url;

#[cfg(any(feature = "tokio", feature = "async-std", feature = "smol", feature = "blocking"))]
pub(crate) use addresses::first;
pub(crate) use asking::Asking;
pub use body::{ContinueFuture, NotWanted, RequestWriter};
pub use config::ClientConfig;
pub use connection::Connection;
pub(crate) use dial::before;
pub use origin::Origin;
#[cfg(feature = "tower")]
pub use pool::SendRequest;
pub use pool::{Occupancy, Pool, PoolError, PoolLimits, RequestBuilder, SendError};
pub use request_error::{Incomplete, RequestError, TextError};
pub use response::{Finish, ReadResponse, ResponseReader};
pub use response_future::{InterimFuture, ResponseFuture};
pub use switch::{SwitchFuture, SwitchOutcome};
pub(crate) use total_time::TotalTime;
pub use tunnel::{NotTunnelled, TunnelFuture, Tunnelled};
pub use upgrade::{NotUpgraded, Switched, UpgradeFuture};
pub use url::{InvalidUrl, Scheme, Url};
