//! Many writers in front of one wire: what outlets promise, between two sockets in one process.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod ahead;
mod lent;
mod pair;
mod pieces;
mod queue;
mod shapes;
mod turns;
