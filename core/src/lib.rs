//! HTTP/1.1 and WebSocket as pure state machines: no I/O, no clock, no randomness, no threads, no async.
//!
//! Bytes, the time and the date come in as arguments; bytes, events and deadlines go out. One idea carries
//! everything: **the right to write is an owned value.** Having the value is having the right; the act that
//! ends the right consumes the value. What must not be written cannot be written down.
//!
//! - *In*: received bytes go into an [`Inbox`], which belongs to the receiving state and moves with it.
//! - *Out*: writing appends to an [`Outbox`] that the caller passes in.
//! - *Time* is told: [`Inbox::dry`] says that a read at this [`Instant`] found nothing, and only then can a limit expire;
//!   a [`Deadline`] says when to look again, and why.
//! - *States* give themselves up: a poll that consumes returns a [`Step`]; [`Held`] keeps one in a field.
//!
//! [`http::server`] has the states of a server's connection, a diagram and a whole exchange as an example, and
//! [`http::client`] those of a client's; [`ws`] has those of a WebSocket, of either role.
//!
//! # What the types do not prove
//!
//! Dropping a right compiles (`#[must_use]` warns) and fails safe: without the value that proves a response is
//! whole there is no next request. The halves of two connections can be given to one another; each then ends
//! its connection, and the adapters of the `endwell` crate make it impossible. A declared length can be
//! overrun: the data is handed back. A field is text, so its type checks for CR, LF and NUL when it is made.
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::std_instead_of_core, clippy::alloc_instead_of_core)]

extern crate alloc;
#[cfg(any(test, feature = "deflate"))]
extern crate std;

mod convert;
mod error;
pub mod http;
mod inbox;
mod outbox;
mod step;
mod time;
pub mod ws;

pub use error::{Bound, Error, Exceeded, Limit, Violation};
pub use inbox::{Inbox, Payload};
pub use outbox::{Outbox, OutboxLimits};
pub use step::{Held, Step};
pub use time::{Deadline, Instant, Pace, Total};
