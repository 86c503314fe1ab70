//! How real systems failed, as tests to pass: over real sockets, on every runtime, from the same source.
//!
//! A scenario is generic over its [`support::Runtime`]; `on_every_runtime!` makes a test of it for each. Clients are
//! blocking sockets, whose timeouts bound every wait.
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
mod support;

mod application;
mod blame;
mod bounds;
mod continued;
mod cut_short;
mod echo;
mod flush;
mod framing;
mod keep_alive;
mod leaving;
mod left;
mod moved;
mod plain;
mod protocols;
mod reports;
mod scripted;
mod shutdown;
mod slow;
mod thousands;
mod together;
mod unread;
mod uploads;
mod versions;
mod waits;
