//! The example `mio` over loopback: what each duty of a driver is for.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

#[path = "../../examples/mio.rs"]
#[expect(dead_code, reason = "its `main` is not called")]
mod example;

mod ends;
mod help;
mod serving;
