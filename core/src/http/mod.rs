//! HTTP/1.1, RFC 9110 and 9112.
//!
//! Where the RFCs leave a choice between lenient and strict parsing, requests are read strictly: request smuggling
//! needs two recipients that read the same bytes differently. [`Reading`] sets how strictly a client reads responses.

mod body;
pub mod calling;
mod chunked;
pub mod client;
mod date;
mod field;
mod fields;
mod fold;
mod framing;
mod head;
mod length;
mod limits;
mod method;
mod persistence;
pub(crate) mod progress;
mod reading;
mod receive;
mod request;
mod request_head;
mod response;
mod scan;
mod send;
pub mod server;
pub mod serving;
mod status;
pub(crate) mod syntax;
mod target;
mod upgraded;
mod version;

pub use body::{Body, BodyEvent, Streaming, Writer};
pub use date::Date;
pub use field::{Field, FieldSection, InvalidField};
pub use fields::Fields;
pub use framing::Framing;
pub use head::{Head, InterimHead, InvalidInterim};
pub use limits::Limits;
pub use method::Method;
pub use reading::Reading;
pub use receive::{Event, Ready};
pub use request::Request;
pub use request_head::{ConnectHead, InvalidRequestHead, RequestHead};
pub use response::{InterimResponse, ResponseHead};
pub use send::NotWritten;
pub use status::{InvalidStatusCode, StatusCode};
pub use target::Target;
pub use upgraded::Upgraded;
pub use version::Version;
