//! Many writers in front of one wire: what outlets promise, between two sockets in one process.

mod pair;
mod queue;
mod turns;
