//! What subscribers of `tracing` and recorders of `metrics` are told. Both are set once for the process, so this is a
//! program of its own.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a test that cannot go on has failed"
)]

#[path = "../scenarios/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "shared with the scenarios")]
mod support;

mod counted;
mod hub;
mod traced;
