//! A server's connection: one value, and each state is made from the one before.
//!
//! ```text
//!                +------------------------- next: Again ---------------------------+
//!                v                                                                 |
//!  new --> [ServerConnection] --poll--> Wait                                       |
//!                |                                                                 |
//!                +--> Request --> [Exchange<Unanswered>] --respond---------> [Exchange<Answered>]
//!                |                   |        |    |                          ^    |
//!                |                   |        |    +-start--> [Exchange<Streaming>] | next: Closing
//!                |                   |        |                    | abort    finish
//!                |                   |        +--accept--> a WebSocket  |           |
//!                |                   |        +--switch, tunnel--> [Upgraded]       |
//!                |                   +--abandon--------------------+----+           |
//!                +--> Refused --> [Refusal] --answer---------------+                |
//!                +--> Closing -------------------------------------+----------------+--> [Closing] --> Outcome
//! ```
//!
//! - Between requests nothing can be written.
//! - A request comes with its [`Exchange`]: the one right to answer it. The head lies outside, so that it can be read
//!   while the exchange is used up.
//! - The body of the request can be read in each state of the exchange, also when the response is complete. Views lend
//!   it ([`Exchange::body`]) and the body of the response ([`Exchange::writer`]), or both at once ([`Exchange::split`]).
//! - [`Exchange::next`] exists only for an exchange that is answered.
//!
//! # One exchange
//!
//! ```
//! use endwell_core::http::server::{After, Next, ServerConnection};
//! use endwell_core::http::{HttpLimits, Response, StatusCode};
//! use endwell_core::{Arrived, Instant, Look, OutboxLimits, Wrote};
//!
//! let now = Instant::default();
//! let mut server = ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default());
//! let arrived = server.io().read(now, |room| {
//!     let bytes = b"GET /hello HTTP/1.1\r\nhost: example.com\r\n\r\n";
//!     room[..bytes.len()].copy_from_slice(bytes);
//!     Ok::<_, ()>(Look::Bytes(bytes.len()))
//! });
//! assert_eq!(arrived, Ok(Arrived::Something));
//!
//! let Next::Request(head, exchange) = server.poll() else { panic!("a whole head") };
//! assert_eq!(head.path(), "/hello");
//! let answered = exchange.respond(&Response::new(StatusCode::OK), "hello".into(), None);
//! let After::Again(mut server) = answered.next() else { panic!("the connection is kept") };
//!
//! let wrote = server.io().write(now, |chunks| {
//!     let chunk = chunks.next().unwrap_or_default();
//!     assert_eq!(chunk, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
//!     Ok::<_, ()>(Some(chunk.len()))
//! });
//! assert_eq!(wrote, Ok(Wrote::Something));
//! ```
//!
//! # For authors of a driver
//!
//! [The guide](crate::guide) has all duties. In short: ask the state until it waits, [write](crate::Io::write) until nothing
//! is left or nothing is taken, [read](crate::Io::read) once, and begin again. If the read found nothing, wait for the
//! transport until the earlier of the two deadlines.

mod exchange;
mod idle;
mod refusal;
mod responder;
mod terms;
mod upgrade;

use crate::closing::{Grace, Manner};
use crate::io::Conn;
use crate::{Closing, Exceeded, Limit, Outcome};
pub use exchange::{After, Answered, Exchange, Unanswered};
pub use idle::{Next, ServerConnection};
pub use refusal::Refusal;
pub use upgrade::NotSwitched;
pub(crate) use upgrade::write_switch;

/// A server's connection, whatever its state.
#[derive(Debug)]
struct Inner {
    conn: Conn,
    between: idle::Between,
}

/// Sends what is queued, then closes.
fn closing(inner: Inner, ended: Outcome) -> Closing {
    let grace = closing_grace(&inner);
    Closing::new(inner.conn, ended, Manner::First(grace))
}

fn closing_grace(inner: &Inner) -> Grace {
    Grace { time: inner.between.body.limits.linger_time, reason: Limit::LingerTime }
}

/// Closes an idle connection.
fn silent(inner: Inner, exceeded: Exceeded) -> Closing {
    Closing::new(inner.conn, Outcome::Silent(exceeded), Manner::Now)
}

/// Closes so that the peer takes nothing for complete.
fn reset(inner: Inner) -> Closing {
    Closing::new(inner.conn, Outcome::Aborted, Manner::Reset)
}
