//! Models of the tasks that share one WebSocket, for loom: each test runs a few tasks in every order that the locks
//! leave open.
//!
//! What they share lies behind the adapters' one lock, which loom sees; what is left of shared memory (counters of held
//! bytes, buffers that are lent for one call) decides nothing here. A task that is not woken again is a deadlock
//! for loom.

#[cfg(not(endwell_loom))]
compile_error!("run this in tests/loom, where .cargo/config.toml says --cfg endwell_loom");

mod explore;
mod pipe;
mod task;
mod wire;

pub use explore::{Explore, spawn};
pub use pipe::{Pipe, connect};
pub use task::{Detached, Threads, block_on, poll_once};
pub use wire::{Sent, frame, sent, texts_before_close};
