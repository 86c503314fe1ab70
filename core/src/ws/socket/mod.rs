//! An open WebSocket, in both roles: one value.
//!
//! ```text
//!  accept, Handshake --> [Socket] --begin--> [Socket<Within>] --finish--> [Socket]
//!                           |                     |
//!                           +--close--------------+---------------------------> [Closing] --> Ended
//!                           +--close_writing------+--> [Receiving] --discard------^
//! ```
//!
//! - The right to write is the [`Socket`]. Every Close consumes it: ours, the answer to the peer's, and the one that tells
//!   the peer of a failure. RFC 6455 5.5.1 forbids data only after *our* Close, so the peer's takes no right away.
//! - Within a message in pieces there is no method that writes another message, so data messages cannot interleave.
//!   Control frames can come between the pieces.
//! - Pings are answered and keep-alive pings are sent by the value itself.
//!
//! # An echo
//!
//! ```
//! use bytes::Bytes;
//! use endwell_core::ws::socket::{Event, Socket};
//! use endwell_core::ws::{Close, Jitter, Limits, Role};
//! use endwell_core::{Instant, Look, OutboxLimits};
//!
//! let limits = Limits::default().into();
//! // What a client sends: "Hello", masked (RFC 6455 5.7), and a Close.
//! let received = Bytes::from_static(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x88\x82\0\0\0\0\x03\xe8");
//! let mut socket =
//!     Socket::from_parts(Role::Server, received, limits, OutboxLimits::default(), Jitter(0), None);
//! loop {
//!     // The message is written while it is borrowed.
//!     match socket.split() {
//!         (Some(Event::Text(text)), mut writer) => writer.text(&text).expect("there is room"),
//!         (Some(Event::Close(_)), _) => break,
//!         (event, _) => panic!("{event:?}"),
//!     }
//! }
//! // The answer to the peer's Close.
//! let mut closing = socket.close(Close::EMPTY);
//! let _ = closing.io().write(Instant::default(), |chunks| {
//!     assert_eq!(chunks.next(), Some(&b"\x81\x05Hello\x88\x02\x03\xe8"[..]));
//!     Ok::<_, ()>(None)
//! });
//! ```

mod answer;
mod event;
mod open;
mod reader;
mod writer;

pub(crate) use answer::Answer;
pub use event::{Event, Piece};
pub use open::{Idle, Receiving, Socket, Within};
pub use writer::Writer;
