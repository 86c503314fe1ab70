//! HTTP/1.1 and WebSocket as pure state machines: no I/O, no clock, no randomness, no threads, no async.
//!
//! Bytes, the time and the date come in as arguments; bytes, events and deadlines go out. One idea carries everything:
//! **the right to write is an owned value.** A caller that holds the value has the right, and the call that ends the
//! right consumes the value. A call that the protocol does not allow at that point does not compile.
//!
//! - *In*: received bytes go into an [`Inbox`], which belongs to the receiving state and moves with it.
//! - *Out*: writing appends to an [`Outbox`] that the caller passes in.
//! - *Time*: the driver reports it. [`Inbox::dry`] reports that a read at this [`Instant`] found nothing, and a limit
//!   expires only then. A [`Deadline`] tells the driver when to poll again, and why.
//! - *States*: a poll that consumes a state returns a [`Step`]. [`Held`] keeps a state in a field.
//!
//! [`http::server`] has the states of a server's connection, with a diagram and a whole exchange as an example.
//! [`http::client`] has those of a client's connection. [`ws`] has those of a WebSocket, for both roles.
//!
//! # What the types do not prove
//!
//! Dropping a right compiles, with a `#[must_use]` warning, and fails safe: the next request cannot be read without the
//! value that proves that the response is complete. A caller of the core can pair the halves of two different
//! connections; each connection then ends. The adapters of the `endwell` crate make that impossible. A caller can offer
//! more data than the declared length; the excess is handed back. A field is text, so its type checks for CR, LF and
//! NUL when it is made.
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
