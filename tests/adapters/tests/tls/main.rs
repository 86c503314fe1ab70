//! TLS over real sockets, on every runtime, from the same source: our client and our server, and each against peers that
//! break the rules.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a test that cannot go on has failed"
)]

#[path = "../help/aborted.rs"]
mod aborted;
#[path = "../http_client_net/dialling.rs"]
#[expect(dead_code, reason = "shared with the client's tests")]
mod dialling;
#[path = "../scenarios/support/mod.rs"]
#[expect(dead_code, reason = "shared with the other scenarios")]
mod support;

mod authority;
mod peer;
mod secure;

mod certificates;
mod ends;
mod facts;
mod handshakes;
mod laws;
mod proxied;
mod proxies;
mod reload;
mod requests;
mod shutdown;
mod sockets;
