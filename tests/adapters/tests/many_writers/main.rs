//! Many writers, one wire, over real sockets, on every runtime, from the same source: how real systems failed, as tests
//! to pass.
//!
//! What the tables say is shown by `cargo test -p endwell-tests --test many_writers -- --nocapture`. The long run, with
//! the numbers that SCENARIOS.md names, is the same with `--release` and `--ignored --test-threads 1` (20 rounds of S13: see
//! `producers.rs`).
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::wildcard_enum_match_arm,
    clippy::similar_names,
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

mod judge;
mod service;

mod burst;
mod closing;
mod driven;
mod ends_of_halves;
mod interleaved;
mod producers;
mod relay;
mod stalled;
mod two_ways;
