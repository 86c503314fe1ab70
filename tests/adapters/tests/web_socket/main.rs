//! WebSockets over real sockets, on every runtime, from the same source: how real systems failed, as tests to pass.
//!
//! The servers and the runtimes are those of the other scenarios. What the tables say is shown by
//! `cargo test -p endwell-tests --test web_socket -- --nocapture`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::wildcard_enum_match_arm,
    clippy::string_slice,
    reason = "a test that cannot go on has failed"
)]

#[path = "../help/aborted.rs"]
mod aborted;
#[path = "../scenarios/support/mod.rs"]
#[expect(dead_code, reason = "shared with the other scenarios")]
mod support;

mod peer;
mod service;
mod tally;

mod answers;
mod bounds;
mod closes;
mod compressed;
mod dropped;
mod ends;
mod handshake;
mod handshake_cut;
mod keep_alive;
mod left_open;
mod shutdown;
mod silent;
mod streamed;
