//! A client's connection: one value, and each state is made from the one before.
//!
//! ```text
//!                +------------------------------ next: Client -----------------------------+
//!                v                                                                         |
//!  new --> [ClientConnection] --send-----------------------------------------------> [Call<Sent>]
//!                |                                                                    ^    |
//!                +--start--> [Call<Streaming>] --finish-------------------------------+    +--> Unread: read on
//!                |                  ^                                                 |    +--> Closed: Outcome
//!                +--ask--> [Call<Withheld>] --proceed                                 |
//!                |                                                                    |
//!                +--websocket, switch, tunnel--> [Handshake] --poll--> Open: the other protocol, or Refused
//! ```
//!
//! - In each state of a call the response can be read: [`Call::answer`]. It may come, and even end, before the request
//!   is written.
//! - [`Call::next`] exists only for a request that is complete, and makes the next [`ClientConnection`] only if the response was
//!   read to its end: no byte of one response is taken for another's.
//! - A [`Handshake`] has nothing to write with, and only a grant that matches what was asked for opens it.
//!
//! # One exchange
//!
//! ```
//! use bytes::Bytes;
//! use endwell_core::http::client::{Again, CallEvent, ClientConnection};
//! use endwell_core::http::{HttpLimits, Method, Request, StatusCode};
//! use endwell_core::{Arrived, Instant, Look, OutboxLimits};
//!
//! let client = ClientConnection::new(HttpLimits::default().into(), OutboxLimits::default());
//! let head = Request::new(Method::Get, "example.com", "/hello")?;
//! let mut call = client.send(&head, Bytes::new());
//! // ... the request is written, and then:
//! let arrived = call.io().read(Instant::default(), |room| {
//!     let bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
//!     room[..bytes.len()].copy_from_slice(bytes);
//!     Ok::<_, ()>(Look::Bytes(bytes.len()))
//! });
//! assert_eq!(arrived, Ok(Arrived::Something));
//! loop {
//!     match call.answer().event().expect("all of it has arrived") {
//!         CallEvent::Head(head) => assert_eq!(head.status(), StatusCode::OK),
//!         CallEvent::Data(data) => assert_eq!(&data[..], b"hello"),
//!         CallEvent::End => break,
//!         event => panic!("{event:?}"),
//!     }
//! }
//! let Again::Client(client) = call.next() else { panic!("the connection is kept") };
//! # let _ = client;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # For authors of a driver
//!
//! [The guide](crate::guide) holds here too. Ask for the response also while the request is
//! being written: otherwise client and server can each wait for the other to read, for ever. A client need not linger: to
//! close, drop the state and close the transport.

mod awaited;
mod call;
mod failure;
mod handshake;
mod idle;
mod terms;

pub use call::{Again, Answer, Call, CallEvent, Sent, Stopped, Withheld};
pub use failure::Failure;
pub use handshake::{GrantHead, Handshake, Opening};
pub use idle::ClientConnection;

use crate::closing::Grace;
use crate::io::Conn;
use crate::{Limit, Outcome};
use awaited::{Awaited, Upload};
use terms::Terms;

/// A client's connection, whatever its state.
#[derive(Debug)]
struct Inner {
    conn: Conn,
    response: Awaited,
    idle: idle::Idle,
}

impl Inner {
    /// A request is written: expects its response.
    fn expect(&mut self, terms: Terms, upload: Upload) {
        self.response.expect(&mut self.conn.inbox, terms, upload);
    }
}

fn grace(response: &Awaited) -> Grace {
    Grace { time: response.limits.linger_time, reason: Limit::LingerTime }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unanswered => Self::ByPeer,
            Failure::Error(error) => error.into(),
        }
    }
}
