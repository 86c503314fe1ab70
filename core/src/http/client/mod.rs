//! A client's connection: a chain of states, each made from the one before.
//!
//! ```text
//!              +---------------------------- after(Finished) -------------------------------+
//!              v                                                                            |
//!  new --> [Client] --request--> Body ---finish--> Finished        Next::Final = head + [ResponseBody]
//!           |  |         |         \-----abort---> Aborted              ^
//!           |  |         +-----> [Response] --poll----------------------+
//!           |  |                    ^   +--> Next::Interim --+
//!           |  |                    |   +--> Next::Continue  |   (and the withheld body can go)
//!           |  |                    +------------------------+
//!           |  +--upgrade----> [Handshake] --poll--> Open: a WebSocket, or Refused: a response (see `ws`)
//!           |  +--tunnel-----> [Tunnel] --poll--> Open: another protocol has the bytes, or Refused: a response
//!           +--poll--> Closed: the server has left, or the connection was idle for too long
//! ```
//!
//! - Between requests no response is open. [`Client::poll`] checks whether the server is still connected.
//! - Sending a request consumes the [`Client`] and returns two values for use side by side: the right to write the
//!   [`Body`], which ends in [`Finished`], the proof of a complete request; and the [`Response`] to read.
//! - [`ResponseBody::after`] makes the next [`Client`] from both: the request is written to its end and the response is
//!   received to its end. Nothing else makes one, so no byte of one response is taken for another's.
//!
//! # One exchange
//!
//! ```
//! use bytes::{Buf, Bytes};
//! use endwell_core::http::client::{Client, Next};
//! use endwell_core::http::{Event, Limits, Method, RequestHead, StatusCode};
//! use endwell_core::{Outbox, Step};
//!
//! let mut out = Outbox::default();
//! let client = Client::new(Limits::default().into());
//! let head = RequestHead::new(Method::Get, "example.com", "/hello")?;
//! let (sent, mut response) = client.send(&head, Bytes::new(), &mut out);
//! assert_eq!(out.copy_to_bytes(out.len()), "GET /hello HTTP/1.1\r\nhost: example.com\r\n\r\n");
//!
//! response.inbox().feed(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
//! let Ok(Step::Done(Next::Final(mut received))) = response.poll() else { panic!("a whole head") };
//! assert_eq!(received.head.status(), StatusCode::OK);
//! while let Some(ready) = received.body.poll()? {
//!     match received.body.event(ready) {
//!         Event::Data(data) => assert_eq!(&data[..], b"hello"),
//!         Event::Trailers(_) => {}
//!         Event::End => break,
//!     }
//! }
//!
//! let Some(client) = received.body.after(sent) else { panic!("the connection is kept") };
//! # let _ = client;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What does not compile
//!
//! Two requests at once: the right is gone.
//!
//! ```compile_fail,E0382
//! # use endwell_core::{Outbox, http::{RequestHead, client::Client}};
//! # fn f(client: Client, head: &RequestHead, out: &mut Outbox) {
//! let (sent, response) = client.send(head, "one".into(), out);
//! let (sent, response) = client.send(head, "two".into(), out);
//! # }
//! ```
//!
//! The next request before this one is written to its end: only `Finished` makes it.
//!
//! ```compile_fail,E0308
//! # use endwell_core::http::client::{Body, ResponseBody};
//! # fn f(body: Body, received: ResponseBody) {
//! let client = received.after(body);
//! # }
//! ```
//!
//! Writing a withheld body before the server has answered the expectation.
//!
//! ```compile_fail,E0599
//! # use endwell_core::{Outbox, http::client::Withheld};
//! # fn f(mut body: Withheld, out: &mut Outbox) {
//! body.write("early".into(), out);
//! # }
//! ```
//!
//! # For authors of a driver
//!
//! 1. The rules in [`http::server`](crate::http::server) about writing before waiting, about reading until a read finds
//!    nothing, and about feeding the end of the stream hold here too.
//! 2. Until the request is written out, call [`Response::pause`] instead of [`Inbox::dry`](crate::Inbox::dry): that
//!    silence is not the server's.
//! 3. Read and poll the [`Response`] also while the request is being written. Otherwise client and server can each wait
//!    for the other to read, for ever.
//! 4. Before each request, poll a [`Client`] that was kept, after a read that found nothing.
//! 5. Call [`Inbox::end`](crate::Inbox::end) only at a real end of the stream: not after a reset, and over TLS not
//!    without a close_notify. A body that lasts until the close has no other end.
//! 6. To close, drop the state and close the transport. A client need not linger: the server has sent all that it will,
//!    or the caller no longer waits for it.

mod between;
mod expect;
mod failure;
mod receive;
mod response;
mod send;
mod tunnel;
mod waiting;

pub use super::upgraded::Upgraded;
pub use crate::http::received::body::{Event, Ready};
pub use crate::http::sent::body::NotWritten;
pub(in crate::http) use between::unasked;
pub use between::{Client, Closed};
pub use expect::{Continue, Withheld};
pub use failure::Failure;
pub(crate) use receive::Terms;
pub use receive::{Received, ResponseBody};
pub use response::{Next, Response};
pub use send::{Aborted, Body, Finished};
pub use tunnel::{Tunnel, Tunnelled};
pub(crate) use waiting::{Arrived, Waiting};
