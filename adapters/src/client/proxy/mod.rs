//! Connections through proxies.
//!
//! ```no_run
//! # async fn f() -> Result<(), Box<dyn std::error::Error>> {
//! use endwell::client::proxy::{Proxied, Proxies, Proxy};
//! use endwell::{ClientConfig, client, tokio::Tcp};
//!
//! let proxy = Proxy::parse("http://proxy.example:3128")?.with_credentials("user", "a:b@c")?;
//! let connector = Proxied::new(Tcp, Proxies::all(proxy).except("localhost, .internal"));
//! let origin = client::Origin::http("example.com", 80);
//! let connection = client::Connection::connect(&connector, &origin, &ClientConfig::default()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! - [`Proxied`] is a connector over another one: it connects to a proxy and asks it for a tunnel. The tunnel is a
//!   transport like any other. A layer of TLS goes above it and uses TLS to the origin through the tunnel. For a proxy
//!   that itself uses TLS (`https://`), the connector below must support TLS.
//! - HTTP proxies are asked with CONNECT (RFC 9110 9.3.6, with Basic credentials of RFC 7617), SOCKS proxies with
//!   version 5 (RFC 1928, with the user and password of RFC 1929; feature `socks`).
//! - **Every** origin is reached through a tunnel, also one of `http`: no request is sent to a proxy in absolute-form.
//!   So one rule holds from end to end: a request goes to the origin alone. Credentials for the proxy cannot get to the
//!   origin, and those for the origin cannot be read on the way by accident. WebSockets work, and a connection is kept
//!   for its origin. Some proxies need a setting for this: by default, squid allows CONNECT only to port 443
//!   (`SSL_ports`), and tinyproxy to any port unless `ConnectPort` is set.
//! - The proxy resolves names.
//! - Nothing is read from the environment unless [`Proxies::from_env`] is called.
//! - No error and no `Debug` shows credentials.

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
