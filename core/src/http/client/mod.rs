//! A client's connection: one state after the other, each made from the one before.
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
//! - Between requests there is nothing to read. [`Client::poll`] says whether the server is still there.
//! - Sending a request consumes the [`Client`]. What comes of it are two values that can be used side by side: the right
//!   to write the [`Body`], whose proof of a whole request is [`Finished`], and the [`Response`] to be read.
//! - The next [`Client`] is made by [`ResponseBody::after`] from both: the request is written to its end and the response
//!   is received to its end. Nothing else makes it, so no byte of one response is taken for another's.
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
//! # What cannot be written
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
//! A body that is withheld, before the server has had its say.
//!
//! ```compile_fail,E0599
//! # use endwell_core::{Outbox, http::client::Withheld};
//! # fn f(mut body: Withheld, out: &mut Outbox) {
//! body.write("early".into(), out);
//! # }
//! ```
//!
//! # For those who write a driver
//!
//! 1. What [`http::server`](crate::http::server) says of writing before waiting, of reading until nothing is there, and of
//!    feeding the end of the stream holds here too.
//! 2. While the request is not written out, call [`Response::pause`] instead of [`Inbox::dry`](crate::Inbox::dry): silence
//!    is then not the server's.
//! 3. Read and poll the [`Response`] also while the request is being written, or two sides that wait for one another to
//!    read wait for ever.
//! 4. Poll a [`Client`] that was kept before each request, after a read that found nothing.
//! 5. Feed the end of the stream with [`Inbox::end`](crate::Inbox::end) only if it is one: neither after a reset nor, over TLS,
//!    without a close_notify. A body that lasts until the close has no other end.
//! 6. To close, drop the state and close the transport. There is nothing to linger for: the server's last word has come, or
//!    nobody waits for it.

mod between;
mod expect;
mod failure;
mod receive;
mod response;
mod send;
mod tunnel;
mod waiting;

pub use super::receive::{Event, Ready};
pub use super::send::NotWritten;
pub use super::upgraded::Upgraded;
pub use between::{Client, Closed};
pub use expect::{Continue, Withheld};
pub use failure::Failure;
pub(crate) use receive::Terms;
pub use receive::{Received, ResponseBody};
pub use response::{Next, Response};
pub use send::{Aborted, Body, Finished};
pub use tunnel::{Tunnel, Tunnelled};
pub(crate) use waiting::{Arrived, Waiting};
