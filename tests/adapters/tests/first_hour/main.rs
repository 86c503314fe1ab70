//! What a new user writes in the first hour: small whole programs, each compiled and most of them run.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

#[path = "../tls/authority.rs"]
#[expect(dead_code, reason = "shared with the tests of TLS")]
mod authority;

mod client;
mod document;
mod errors;
mod server;
mod shutdown;
