//! Connections through proxies.
//!
//! ```no_run
//! # async fn f() -> Result<(), Box<dyn std::error::Error>> {
//! use endwell::client::proxy::{Proxied, Proxies, Proxy};
//! use endwell::{Config, client, tokio::Tcp};
//!
//! let proxy = Proxy::parse("http://proxy.example:3128")?.with_credentials("user", "a:b@c")?;
//! let connector = Proxied::new(Tcp, Proxies::all(proxy).except("localhost, .internal"));
//! let origin = client::Origin::http("example.com", 80);
//! let connection = client::connect(&connector, &origin, &Config::default()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! - [`Proxied`] is a connector over another one: it connects to a proxy and asks it for a tunnel, and what comes out is a
//!   transport like any other. A layer of TLS goes above it and speaks to the origin through the tunnel. For a proxy that is
//!   itself spoken to by TLS (`https://`), the connector below must know TLS.
//! - HTTP proxies are asked by CONNECT (RFC 9110 9.3.6, with Basic credentials of RFC 7617), SOCKS proxies as version 5
//!   says (RFC 1928, with the user and password of RFC 1929; feature `socks`).
//! - **Every** origin is reached through a tunnel, one of `http` too: no request is sent to a proxy in absolute-form. So one
//!   rule holds from end to end: what is sent is for the origin alone, and credentials for the proxy cannot get there nor the
//!   origin's be read on the way by accident; WebSockets work; and a connection is kept for its origin. Proxies may have to be
//!   told: as they are delivered, squid allows CONNECT to port 443 only (`SSL_ports`), tinyproxy to any port unless
//!   `ConnectPort` is there.
//! - Names are resolved by the proxy.
//! - Nothing is read from the environment unless [`Proxies::from_env`] is called.
//! - Credentials are in no error and in no `Debug`.

mod bypass;
mod connect;
mod connector;
mod environment;
mod error;
mod location;
mod proxies;
#[cfg(feature = "socks")]
mod socks;
mod through;

pub use connector::Proxied;
pub use environment::InvalidVariable;
pub use error::{Denied, ProxyError, Reason};
pub use location::{InvalidProxy, Proxy};
pub use proxies::Proxies;
pub use through::Through;
