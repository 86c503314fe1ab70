//! WebSocket, RFC 6455, and its compression, RFC 7692.
//!
//! An open WebSocket, in both roles: one value.
//!
//! ```text
//!  accept, Handshake --> [Socket] --begin--> [Socket<Within>] --finish--> [Socket]
//!                           |                     |
//!                           +--close--------------+---------------------------> [Closing] --> Outcome
//!                           +--close_writing------+--> [Receiving] --discard------^
//!                           +--answer_close-------------^
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
//! use endwell_core::ws::{Event, Socket};
//! use endwell_core::ws::{Close, Jitter, SocketLimits, Role};
//! use endwell_core::{Instant, Look, OutboxLimits};
//!
//! let limits = SocketLimits::default().into();
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
//!
//! # Handshakes
//!
//! A server [accepts](crate::http::server::Exchange::accept) an exchange on terms, its [`Acceptance`], which refuse pages of
//! other sites unless it allows them. A client makes an [`Offer`] and [asks](crate::http::client::ClientConnection::websocket). A
//! socket whose handshake another library did is made [from its parts](Socket::from_parts). A request that another library
//! received can be [accepted](Acceptance::accept_upgrade) too, and so can an
//! [extended CONNECT](Acceptance::accept_connect) of HTTP/2 or HTTP/3 (RFC 8441).
//!
//! # For authors of a driver
//!
//! [The guide](crate::guide) holds here too. Read however much is queued: two ends that each wait
//! for the other to read wait for ever. Of the Pongs that are owed, only the latest is kept, so a peer that pings and never
//! reads cannot make memory grow. Messages wait for room where they are written.
//!
//! An application may leave messages unread while it does something else. What arrives behind them is looked at, without
//! being taken, in each [`Io::read_ahead`](crate::Io::read_ahead) that finds nothing or has no room, and in each
//! [`read`](crate::Io::read) that finds nothing while something is ready. Pings are answered at once, and the call returns
//! [`Arrived::Something`](crate::Arrived::Something), so that the answer is written. Then ask [`Socket::answer_close`] for
//! the peer's Close. Each frame is looked at once, and its event comes in order all the same. The bound is
//! [`SocketLimits::received_bytes`], 128 KiB by default, which hold at most 21,845 frames of a client, or 65,536 of a server.
//! Behind a full inbox nothing is seen, and nothing is held against the peer. While there is room, keep-alive pings go on:
//! a peer that answers none is [lost](Socket::is_lost), and its failure comes behind what it has sent.

mod deflate;
mod failure;
mod handshake;
mod limits;
mod receive;
mod role;
mod send;
mod socket;
mod wire;

#[cfg(all(feature = "deflate", fuzzing))]
#[doc(hidden)]
pub use deflate::inflating_work;
#[cfg(feature = "deflate")]
pub use deflate::{Agreement, Compression, Deflate, MalformedExtensions, WindowBits};
pub use failure::Cause;
pub use handshake::acceptance::Acceptance;
pub(crate) use handshake::client::Granted;
pub use handshake::offer::{InvalidSubprotocol, Offer};
pub use handshake::origin::Origins;
pub use handshake::refusal::NotAHandshake;
pub use handshake::subprotocol::Subprotocol;
pub use limits::SocketLimits;
pub use receive::event::{Event, Piece};
pub use receive::keep_alive::Jitter;
pub use receive::text::Text;
pub use role::Role;
pub use send::frame::Frame;
pub use send::message::{DataMessage, Full};
pub(crate) use socket::Answer;
pub use socket::{Idle, PieceNotWritten, Receiving, Socket, Within, Writer};
pub use wire::close::{Close, CloseCode, InvalidCloseCode, ReasonTooLong};
pub use wire::control::{Control, ControlTooLong};
pub use wire::kind::Kind;
pub use wire::mask::Masks;
