//! HTTP/1.1, RFC 9110 and 9112.
//!
//! Where the RFCs leave a choice between lenient and strict parsing, requests are read strictly: request smuggling
//! needs two recipients that read the same bytes differently. [`Reading`] sets how strictly a client reads responses.

mod body;
pub mod client;
#[cfg(feature = "percent-encoding")]
mod decoded;
pub(crate) mod grammar;
#[cfg(feature = "http")]
mod interop;
mod limits;
mod received;
mod sent;
pub mod server;

pub use body::{BodyEvent, BodyReader, BodyWriter, Streaming};
pub use grammar::date::Date;
pub use grammar::method::{InvalidMethod, Method};
pub use grammar::reading::Reading;
pub use grammar::status::{InvalidStatusCode, StatusCode};
pub use grammar::target::Target;
pub use grammar::version::Version;
#[cfg(feature = "http")]
pub use interop::{InvalidHead, UnsupportedVersion};
pub use limits::HttpLimits;
pub use received::fields::Fields;
pub use received::request::RequestHead;
pub use received::response::{InterimHead, ResponseHead};
pub use sent::body::NotWritten;
pub use sent::field::{Field, FieldSection, InvalidField};
pub use sent::framing::Framing;
pub use sent::request::{Connect, InvalidRequest, Request};
pub use sent::response::{Interim, InvalidInterim, Response};
pub use sent::upgrade::Upgrade;
