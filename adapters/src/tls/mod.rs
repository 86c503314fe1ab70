//! TLS by rustls, for clients and servers on every runtime alike. Feature `rustls`.
//!
//! It is a layer: [`Connector`] goes over any connector and [`Listener`] over any listener, so it also goes over a proxy.
//! rustls knows no I/O either; it is driven over the [`Transport`](crate::Transport) itself, so that times, turns and
//! wakers mean what they mean without TLS. [`rustls`] is re-exported.
//!
//! # Cryptography
//!
//! rustls has none of its own. A [`ClientConfig`](rustls::ClientConfig) or [`ServerConfig`](rustls::ServerConfig) that the
//! program makes has what it was made with. [`client_config`] and [`server_config`] take what is installed for the process:
//!
//! ```ignore
//! // With rustls = { version = "0.23", features = ["aws_lc_rs"] } among the program's dependencies.
//! rustls::crypto::aws_lc_rs::default_provider().install_default()
//! ```
//!
//! If nothing is installed they take ring's, with feature `rustls-ring`.
//!
//! # Memory
//!
//! A connection that waits holds what rustls holds for it, about 8 KB: its state and keys, and 4 KiB that the next record is
//! read into. While its peer takes nothing it holds a record more, of 16 KiB. Neither counts in
//! [`Config::held_bytes`](crate::Config::held_bytes).

mod config;
mod connector;
mod handshake;
mod listener;
mod places;
mod session;
mod stream;

pub use ::rustls;
#[cfg(feature = "rustls-native-certs")]
pub use config::native_roots;
#[cfg(feature = "rustls-webpki-roots")]
pub use config::webpki_roots;
pub use config::{client_config, roots, server_config};
pub use connector::Connector;
pub use listener::Listener;
pub use stream::Stream;

/// The name of what is spoken inside: RFC 7301 6.
const HTTP_1_1: &[u8] = b"http/1.1";
