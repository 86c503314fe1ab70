//! What judges the cores: a connection on a virtual clock, a client that shares no code with them, and the tools
//! that cut their input in pieces.
//!
//! - [`connection`] drives one server core with a scripted handler and records what happened.
//! - [`plan`] is that script.
//! - [`asking`] drives one client core with requests written down beforehand, and [`hearing`] is one exchange of it, the
//!   same under every split.
//! - [`cutter`] cuts input in every way.
//! - [`client`] reads a server's output as a strict client does, written from RFC 9112 alone.
//! - [`link`] puts a client and a server at the two ends of a link with delays and cuts.
//! - [`compile`] checks that programs do not compile, and that their corrected twins do.
//! - [`counting`] is an allocator that counts what a thread holds.
//! - [`verdict`] is a conversation from end to end, the same under every split.
//! - [`io`] is the transport of any state, by hand.
//! - [`random`] is the one source of chance, by seed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::as_conversions,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    clippy::must_use_candidate,
    reason = "a helper of tests fails by panicking"
)]

pub mod asking;
pub mod client;
pub mod compile;
pub mod connection;
pub mod counting;
pub mod cutter;
pub mod hearing;
pub mod io;
pub mod link;
pub mod plan;
pub mod random;
pub mod record;
pub mod verdict;
