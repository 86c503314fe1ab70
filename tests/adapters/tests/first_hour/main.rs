//! What a new user writes in the first hour: small whole programs, each compiled and most of them run.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;
mod errors;
mod server;
