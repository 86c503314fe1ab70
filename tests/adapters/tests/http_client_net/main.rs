//! The client over real sockets, on every runtime, from the same source: against our own server, and against servers
//! that break every rule.
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
#[path = "../scenarios/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "shared with the other scenarios")]
mod support;

mod dialling;
mod server;

mod bodies;
mod compressed;
mod connecting;
mod continues;
mod copies;
mod cut_short;
mod dropped;
mod early;
mod plain;
mod proxy;
mod proxy_socks;
mod reconnect;
mod reconnect_ends;
mod reconnect_time;
mod shapes;
mod sloppy;
mod socket_builder;
mod time;
mod tunnel;
mod web_socket;
