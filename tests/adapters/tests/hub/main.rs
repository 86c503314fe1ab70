//! The hub over real sockets, on every runtime, from the same source: how real systems failed, as tests to pass.
//!
//! S20 in full, with 20,000 clients a line: `cargo test --release -p endwell-tests --test hub churn -- --ignored
//! --nocapture --test-threads 1`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on has failed"
)]

#[path = "../help/aborted.rs"]
mod aborted;
#[path = "../scenarios/support/mod.rs"]
#[expect(dead_code, reason = "shared with the other scenarios")]
mod support;

#[path = "../web_socket/peer.rs"]
#[expect(dead_code, reason = "shared with the other scenarios")]
mod peer;

#[path = "../many_writers/service.rs"]
#[expect(dead_code, reason = "shared with the other scenarios")]
mod service;

mod memory;

mod burst;
mod churn;
mod drain;
mod expiry;
mod logins;
mod nodes;
mod order;
mod sending;
mod silence;
mod stalled;
mod steps;
