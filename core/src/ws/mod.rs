//! WebSocket, RFC 6455, strict, for both roles.
//!
//! ```text
//!  Client --upgrade--> [Handshake] --poll--> Refused: a response, and nothing to write with
//!                          |
//!                          v Open
//!  Exchange --accept--> [WebSocket] = recv + send              from_parts: a handshake that was done elsewhere
//!                          |   |
//!                          |   +--session--> [Session]: both halves in one value, answers by itself
//!                          |                     |
//!    Receiver --poll, event--> Text Binary Pong  +--close-----------------------------+
//!       |                      Ping    ----pong------> Sender                         |
//!       |                      PingDue ----keep_alive-> Sender <--finish-- Fragments  |
//!       |                                               |    \--fragments--^   |       |
//!       |                      (our choice) ---close--> |                      |       |
//!       |                      Close   ----answer-----> +----------------------+       |
//!       |                      Failure ----fail-------> |                              |
//!       |                                               v                              v
//!       +--closing(CloseSent) <--------------------- CloseSent                     [Closing]
//!       +-----------------------------------------------------------------------------^ |
//!                                                                    poll --> [Ended] <-+
//! ```
//!
//! RFC 6455 5.5.1 forbids data only after *our* Close; the peer's Close must be answered but revokes nothing until
//! then. So the halves share no state: what the peer is owed is a value that the receiving half returns and the sending
//! half takes.
//!
//! - The right to write is the one [`Sender`]. Every Close consumes it: ours, the answer to the peer's, and the one
//!   that reports a failure to the peer. The proof is [`CloseSent`].
//! - [`Sender::fragments`] lends the right to one message, and [`Fragments::finish`] returns it. Data messages cannot
//!   be nested, but control frames can come between fragments.
//! - [`Receiver::closing`] requires the proof, and [`Closing`] always ends in [`Ended`].
//!
//! # An echo
//!
//! ```
//! use bytes::{Buf, Bytes};
//! use endwell_core::ws::{Close, Jitter, Limits, Role, SessionEvent, WebSocket, Writing};
//! use endwell_core::Outbox;
//!
//! let mut out = Outbox::default();
//! let limits = Limits::default().into();
//! let socket = WebSocket::from_parts(Role::Server, Bytes::new(), limits, Jitter(0), None);
//! let mut session = socket.session();
//! // What a client sends: "Hello", masked (RFC 6455 5.7), and a Close.
//! session.inbox().feed(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
//! session.inbox().feed(b"\x88\x82\0\0\0\0\x03\xe8");
//!
//! let mut messages = Vec::new();
//! while let Some(ready) = session.poll(&mut out) {
//!     match session.event(ready, &mut out) {
//!         Ok(SessionEvent::Text(text)) => messages.push(text.into_string()),
//!         Ok(_) => {}
//!         Err(cause) => panic!("{cause}"),
//!     }
//!     if let (Some(message), Writing::Idle(sender)) = (messages.pop(), session.writing()) {
//!         sender.text(&message, &mut out).expect("there is room");
//!     }
//! }
//! assert_eq!(out.copy_to_bytes(out.len()), &b"\x81\x05Hello\x88\x02\x03\xe8"[..]);
//! let closing = session.close(Close::EMPTY, &mut out);
//! assert!(closing.ends_writing(&out), "both Close frames have passed: the server closes TCP first");
//! ```
//!
//! # A message of any size
//!
//! [`Session::poll_piece`] hands a message out in pieces as they arrive, without holding it in memory.
//! [`Sender::fragments`] writes a message in pieces. An application that echoes messages too large for memory:
//!
//! ```
//! use bytes::{Buf, Bytes};
//! use endwell_core::ws::{Jitter, Limits, NextPiece, Piece, Role, WebSocket, Writing};
//! use endwell_core::Outbox;
//!
//! let mut out = Outbox::default();
//! let limits = Limits::default().into();
//! let mut session = WebSocket::from_parts(Role::Server, Bytes::new(), limits, Jitter(0), None).session();
//! // "Hel" and "lo", masked, as two frames of one message. The second arrives in two parts.
//! for arrived in [&b"\x01\x83\0\0\0\0Hel\x80\x82\0\0\0\0l"[..], b"o"] {
//!     session.inbox().feed(arrived);
//!     while let Some(next) = session.poll_piece(&mut out) {
//!         let ready = match next {
//!             NextPiece::Piece(ready) => ready,
//!             NextPiece::Event(ready) => panic!("{:?}", session.event(ready, &mut out)),
//!         };
//!         let piece = match session.piece(ready, &mut out) {
//!             Ok(Piece::Start(kind)) => {
//!                 session.start(kind);
//!                 continue;
//!             }
//!             Ok(Piece::Text(text)) => text.take(),
//!             Ok(Piece::Binary(data)) => data.take(),
//!             Ok(Piece::End) => {
//!                 session.finish(&mut out);
//!                 continue;
//!             }
//!             Err(cause) => panic!("{cause}"),
//!         };
//!         if let Writing::Streaming(fragments) = session.writing() {
//!             fragments.write(piece, &mut out).expect("there is room");
//!         }
//!     }
//! }
//! assert_eq!(out.copy_to_bytes(out.len()), &b"\x01\x03Hel\0\x01l\0\x01o\x80\0"[..]);
//! ```
//!
//! # Compression
//!
//! With feature `deflate`, `Acceptance::deflate` and `Offer::deflate` allow messages to be compressed if both ends
//! agree (permessage-deflate, RFC 7692). It needs std and adds zlib-rs. Received data is decompressed block by block:
//! the [`Limits`] bound the decompressed size, and apply before the data is in memory. `Deflate` documents the memory
//! that a connection holds for compression.
//!
//! # What does not compile
//!
//! A message after our Close: the right is gone.
//!
//! ```compile_fail,E0382
//! # use endwell_core::{Outbox, ws::{Close, Sender}};
//! # fn f(mut send: Sender, out: &mut Outbox) {
//! let sent = send.close(Close::EMPTY, out);
//! send.text("more", out);
//! # }
//! ```
//!
//! A second Close.
//!
//! ```compile_fail,E0382
//! # use endwell_core::{Outbox, ws::{Close, PeerClose, Sender}};
//! # fn f(send: Sender, theirs: PeerClose, out: &mut Outbox) {
//! let sent = send.close(Close::EMPTY, out);
//! let sent = send.answer(theirs, out);
//! # }
//! ```
//!
//! A message within another: the right to write is in the [`Fragments`].
//!
//! ```compile_fail,E0382
//! # use endwell_core::{Outbox, ws::{Kind, Sender}};
//! # fn f(mut send: Sender, out: &mut Outbox) {
//! let mut pieces = send.fragments(Kind::Text);
//! send.text("in between", out);
//! # }
//! ```
//!
//! The same Ping answered twice.
//!
//! ```compile_fail,E0382
//! # use endwell_core::{Outbox, ws::{Ping, Sender}};
//! # fn f(mut send: Sender, ping: Ping<'_>, out: &mut Outbox) {
//! send.pong(ping, out);
//! send.pong(ping, out);
//! # }
//! ```
//!
//! Waiting for the peer's Close before ours is written.
//!
//! ```compile_fail,E0308
//! # use endwell_core::ws::{Receiver, Sender};
//! # fn f(recv: Receiver, send: Sender) {
//! let closing = recv.closing(send);
//! # }
//! ```
//!
//! Writing after a failed handshake: it returns the exchange, which has no [`Sender`].
//!
//! ```compile_fail,E0599
//! # use endwell_core::{Outbox, http::server::Exchange, ws::Acceptance};
//! # fn f(exchange: Exchange, acceptance: Acceptance, out: &mut Outbox) {
//! if let Err((reason, mut exchange)) = exchange.accept(acceptance, None, out) {
//!     exchange.send.text("hello", out);
//! }
//! # }
//! ```
//!
//! Writing before a client's handshake was answered.
//!
//! ```compile_fail,E0609
//! # use endwell_core::{Outbox, ws::Handshake};
//! # fn f(mut handshake: Handshake, out: &mut Outbox) {
//! handshake.send.text("hello", out);
//! # }
//! ```
//!
//! Using the exchange after its handshake succeeded.
//!
//! ```compile_fail,E0382
//! # use endwell_core::{Outbox, http::{Head, StatusCode, server::Exchange}, ws::Acceptance};
//! # fn f(mut exchange: Exchange, acceptance: Acceptance, out: &mut Outbox) {
//! let socket = exchange.accept(acceptance, None, out);
//! exchange.send.respond(&Head::new(StatusCode::OK), "no".into(), None, &mut exchange.recv, out);
//! # }
//! ```
//!
//! # For authors of a driver
//!
//! 1. The rules in [`http::server`](crate::http::server) about writing before waiting, about reading until a read finds
//!    nothing, and about feeding the end of the stream hold here too.
//! 2. Above the high-water mark, do not poll. Pings and Closes then wait with everything else, so a peer that sends and
//!    never reads cannot make memory grow.
//! 3. A driver that splits the halves passes every [`Ping`], [`PingDue`], [`PeerClose`] and [`Failure`] to the
//!    [`Sender`] before it does anything else, and calls [`Sender::settle`] when something was written. A [`Session`]
//!    does so itself.
//! 4. In [`Closing`]: poll when something was read or written, and at [`Closing::deadline`]; end the write side once
//!    [`Closing::ends_writing`] is true; close when it is done.
//! 5. When writing stalls ([`Outbox::poll`](crate::Outbox::poll)) or the transport fails, reset the connection.
//!    [`Closing::cut`] then returns how the connection ended.

mod closing;
mod deflate;
mod ended;
mod event;
mod failure;
mod handshake;
mod limits;
mod receive;
mod send;
mod session;
pub mod socket;
mod websocket;
mod wire;

pub use closing::Closing;
#[cfg(all(feature = "deflate", fuzzing))]
#[doc(hidden)]
pub use deflate::inflating_work;
#[cfg(feature = "deflate")]
pub use deflate::{Agreement, Compression, Deflate, MalformedExtensions, WindowBits};
pub use ended::{End, Ended};
pub use event::{Event, Ready};
pub use failure::{Cause, Failure};
pub(crate) use handshake::client::Granted;
pub use handshake::client::{Handshake, Opening};
pub use handshake::offer::{InvalidSubprotocol, Offer};
pub use handshake::origin::Origins;
pub use handshake::server::{Acceptance, NotAHandshake};
pub use handshake::subprotocol::Subprotocol;
pub use limits::Limits;
pub use receive::keep_alive::Jitter;
pub use receive::owed::{PeerClose, Ping, PingDue};
pub use receive::piece::{NextPiece, Piece, PieceReady};
pub use receive::receiver::Receiver;
pub use receive::text::Text;
pub use send::fragments::{Fragments, NotWritten};
pub use send::frame::Frame;
pub use send::message::{Full, Message};
pub use send::sender::{CloseSent, Sender};
pub use session::{Session, SessionEvent, Writing};
pub(crate) use socket::Answer;
pub use websocket::{Role, WebSocket};
pub use wire::close::{Close, CloseCode, InvalidCloseCode, ReasonTooLong};
pub use wire::control::{Control, ControlTooLong};
pub use wire::kind::Kind;
pub use wire::mask::Masks;
