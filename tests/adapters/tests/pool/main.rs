//! The pool of client connections, on every runtime from the same source: what goes back and what does not, the bounds and
//! the line, connections that end while they are idle, requests that are sent again, and requests that are cancelled.
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
#[expect(dead_code, reason = "shared with the scenarios of one connection")]
mod dialling;
#[path = "../scenarios/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "shared with the other scenarios")]
mod support;

mod counted;
mod server;

mod again;
mod bounds;
mod builder;
mod cancelled;
mod delays;
mod extremes;
mod given_back;
mod left;
mod soak;
