#![doc = include_str!("../README.md")]
//!
//! # Where things are
//!
//! - [`http::server`] has the states of a server's connection, and [`http::client`] those of a client's.
//! - [`ws`] has those of a WebSocket, for both roles.
//! - [`Upgraded`] is a connection that another protocol uses, and [`Closing`] is the last phase of every connection. It
//!   ends in [`Outcome`].
//! - [`Io`] is the one door for bytes and time, the same for every state. Received and written bodies are views that a
//!   state lends.
//!
//! [`guide`] has the duties of a driver, and the example `mio` is one.
//!
//! # What the types do not prove
//!
//! - Dropping a state compiles, with a `#[must_use]` warning where the result of a call is not used. It fails safe: the
//!   connection closes, and no message whose length or chunks the peer can count looks complete. A response that only the
//!   close ends (to HTTP/1.0) would look complete: [abort](http::server::Exchange::abort) it, which resets the connection.
//! - Two whole connections can be swapped. Which socket the bytes of a state go to is up to the driver.
//! - Lengths and room are known at run time only. More data than was announced, and data that does not fit, is handed
//!   back; a body that is shorter than was announced does not finish, and its state comes back.
//! - That a response was read to its end is known at run time: [`Again::Unread`](http::client::Again::Unread) gives the
//!   call back.
//! - A field is text, so its type checks for CR, LF and NUL when it is made.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![warn(clippy::std_instead_of_core, clippy::alloc_instead_of_core)]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

mod buffer;
mod closing;
mod convert;
mod error;
#[cfg(any(doc, doctest))]
pub mod guide;
pub mod http;
mod io;
#[cfg(feature = "std")]
mod io_error;
mod limit;
mod outcome;
mod since;
mod time;
mod upgraded;
pub mod ws;

pub(crate) use buffer::{Inbox, Outbox};
pub use buffer::{OutboxLimits, Payload};
pub use closing::{Closing, Ending};
pub use error::{Error, Violation};
pub use io::{Arrived, Io, Look, Wrote};
pub use limit::{Bound, Exceeded, Limit};
pub use outcome::{End, Outcome};
pub use time::{Deadline, Instant, Pace, Total};
pub use upgraded::Upgraded;
