//! The client of HTTP: RFC 9110 and 9112 for who asks.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

mod continues;
mod heads;
mod interim;
mod laws;
mod length;
mod persistence;
mod readings;
mod requests;
mod time;
mod tunnel;
mod two_cores;
mod upgrade;
