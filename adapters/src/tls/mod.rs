//! TLS by rustls, for clients and servers on every runtime. Feature `rustls`.
//!
//! It is a layer: [`TlsConnector`] goes over any connector, also one of proxies, and [`TlsListener`] over any listener.
//! rustls does no I/O either; it is driven over the [`Transport`](crate::Transport) itself, so that time limits, turns
//! and wakers work as without TLS. [`rustls`] is re-exported.
//!
//! # Cryptography
//!
//! rustls has no cryptography of its own. A [`ClientConfig`](rustls::ClientConfig) or
//! [`ServerConfig`](rustls::ServerConfig) that the program makes brings its own. [`client_config`] and
//! [`server_config`] use the provider that is installed for the process:
//!
//! ```ignore
//! // With rustls = { version = "0.23", features = ["aws_lc_rs"] } among the program's dependencies.
//! rustls::crypto::aws_lc_rs::default_provider().install_default()
//! ```
//!
//! If none is installed they use ring's, with feature `rustls-ring`.
//!
//! # Memory
//!
//! A waiting connection holds about 8 KB in rustls: its state and keys, and 4 KiB to read the next record into. While
//! its peer takes nothing it holds one more record, of 16 KiB. The peer's certificates are held twice, by rustls and in
//! [`TlsInfo`]. None of this counts in
//! [`ServerConfig::held_bytes`](crate::ServerConfig::held_bytes).

mod config;
mod connector;
mod handshake;
mod info;
mod listener;
mod places;
mod session;
mod shared;
mod stream;

pub use ::rustls;
#[cfg(feature = "rustls-native-certs")]
pub use config::native_roots;
#[cfg(feature = "rustls-webpki-roots")]
pub use config::webpki_roots;
pub use config::{client_config, mutual_client_config, mutual_server_config, roots, server_config};
pub use connector::TlsConnector;
pub use info::TlsInfo;
pub use listener::TlsListener;
pub use shared::SharedServerConfig;
pub use stream::TlsStream;

/// The name of the inner protocol: RFC 7301 6.
const HTTP_1_1: &[u8] = b"http/1.1";
