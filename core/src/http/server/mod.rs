//! A server's connection: a chain of states, each made from the one before.
//!
//! ```text
//!              +--------------------------- Again ---------------------------+
//!              v                                                             |
//!  new --> [Server] --poll--> [Exchange] = head + expect + recv + send       |
//!              |                  |  |         RequestBody --after(Finished)-+--> [Drain]
//!              |                  |  |         Responder --respond-----------> Finished
//!              |                  |  |                  \--start--> ResponseBody --finish--> Finished
//!              |                  |  |                                          \--abort---> Aborted
//!              |                  |  +--switch, tunnel--> [Upgraded]: another protocol has the bytes
//!              |                  |
//!              +--> Refusal --write--> [Linger] --poll--> the connection closes
//!              +--> Closed: the peer has left, or stayed silent
//! ```
//!
//! - Between requests no response can be written. [`Server::poll`] returns an [`Exchange`], or a [`Refusal`]: the one
//!   response that is still allowed.
//! - The right to respond is the [`Responder`]. [`respond`](Responder::respond) and [`start`](Responder::start) consume
//!   it. [`Finished`] is the proof of a complete response.
//! - [`RequestBody::after`] makes the next [`Server`] from both: the request is received to its end and the response is
//!   written to its end. Nothing else makes one, so a response cannot be forgotten and a connection cannot be reused
//!   half way.
//!
//! # One exchange
//!
//! ```
//! use bytes::{Buf, Bytes};
//! use endwell_core::http::server::{After, Next, Server};
//! use endwell_core::http::{Head, Limits, Method, StatusCode};
//! use endwell_core::{Outbox, Step};
//!
//! let mut out = Outbox::default();
//! let mut server = Server::new(Limits::default().into());
//! server.inbox().feed(b"GET /hello HTTP/1.1\r\nHost: example.com\r\n\r\n");
//!
//! let Ok(Step::Done(Next::Exchange(mut exchange))) = server.poll() else { panic!("a whole request") };
//! assert_eq!((exchange.head.method(), exchange.head.path()), (Method::Get, "/hello"));
//!
//! let head = Head::new(StatusCode::OK);
//! let sent = exchange.send.respond(&head, Bytes::from("hello"), None, &mut exchange.recv, &mut out);
//! assert_eq!(out.copy_to_bytes(out.len()), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
//!
//! let After::Again(server) = exchange.recv.after(sent) else { panic!("the connection is kept") };
//! # let _ = server;
//! ```
//!
//! # What does not compile
//!
//! Answering twice: the right is gone.
//!
//! ```compile_fail,E0382
//! # use endwell_core::{Outbox, http::{Head, StatusCode, server::Exchange}};
//! # fn f(mut exchange: Exchange, out: &mut Outbox) {
//! let head = Head::new(StatusCode::OK);
//! let sent = exchange.send.respond(&head, "one".into(), None, &mut exchange.recv, out);
//! let sent = exchange.send.respond(&head, "two".into(), None, &mut exchange.recv, out);
//! # }
//! ```
//!
//! Reading the next request before the response: only `Finished` makes a server to poll.
//!
//! ```compile_fail,E0308
//! # use endwell_core::http::server::{Exchange, Responder};
//! # fn f(exchange: Exchange) {
//! let after = exchange.recv.after(exchange.send);
//! # }
//! ```
//!
//! Writing after the end of a body.
//!
//! ```compile_fail,E0382
//! # use endwell_core::{Outbox, http::server::ResponseBody};
//! # fn f(mut body: ResponseBody, out: &mut Outbox) {
//! let sent = body.finish(None, out);
//! body.write("more".into(), out);
//! # }
//! ```
//!
//! Upgrading after the answer: `switch` takes the whole exchange.
//!
//! ```compile_fail,E0382
//! # use endwell_core::{Outbox, http::{FieldSection, Head, StatusCode, server::Exchange}};
//! # fn f(mut exchange: Exchange, out: &mut Outbox) {
//! let sent = exchange.send.respond(&Head::new(StatusCode::OK), "no".into(), None, &mut exchange.recv, out);
//! let upgraded = exchange.switch("echo", &FieldSection::new(), None, out);
//! # }
//! ```
//!
//! # For authors of a driver
//!
//! 1. Before a task waits, write what the [`Outbox`](crate::Outbox) holds.
//! 2. In every state, read until a read finds nothing, report that with [`Inbox::dry`](crate::Inbox::dry), and poll
//!    again. This starts and ends the time limits; a state has no deadline before it. Wait until its `deadline` at the
//!    longest, then read again.
//! 3. Report the end of the stream with [`Inbox::end`](crate::Inbox::end) and keep polling: what arrived before the end
//!    still counts.
//! 4. Above the high-water mark, do not poll for the next request.
//! 5. In [`Linger`]: write everything, reading and discarding meanwhile ([`Linger::discard`]), end the write side, then
//!    poll it until it is done.
//! 6. When bytes or the end of the stream arrive, also call [`Outbox::arrived`](crate::Outbox::arrived): the final
//!    response to a client that was sent 100 Continue [waits](crate::Outbox::is_held) for it.
//! 7. When writing stalls ([`Outbox::poll`](crate::Outbox::poll)) or on [`Abandoned::Reset`], reset the connection.

mod after;
mod between;
mod exchange;
mod linger;
mod receive;
mod refusal;
mod respond;
mod send;
mod upgrade;

pub use super::upgraded::Upgraded;
pub use crate::http::received::body::{Event, Ready};
pub use crate::http::sent::body::NotWritten;
pub use after::{Abandoned, After, Drain};
pub(in crate::http) use between::Terms;
pub use between::{Closed, Next, Server};
pub use exchange::{Continue, Exchange};
pub use linger::Linger;
pub use receive::RequestBody;
pub use refusal::Refusal;
pub(in crate::http) use refusal::Reject;
pub use respond::{Finished, Responder};
pub use send::{Aborted, ResponseBody};
pub use upgrade::NotSwitched;
pub(crate) use upgrade::write_switch;
pub(in crate::http) use upgrade::write_tunnel;
