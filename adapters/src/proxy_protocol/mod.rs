//! The PROXY protocol, versions 1 and 2: the address of a client behind a proxy that passes TCP on, such as HAProxy, Envoy or a
//! load balancer. Feature `proxy-protocol`.
//!
//! [`ProxyProtocol`] is a layer over any listener, below TLS. The crate `proxy-header` parses.

mod header;
mod layer;
mod stream;

pub use header::ProxyHeader;
pub use layer::ProxyProtocol;
pub use stream::ProxyStream;
