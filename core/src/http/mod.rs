//! HTTP/1.1, RFC 9110 and 9112, strict.
//!
//! Where the RFCs leave a choice between lenient and strict parsing, strict is taken: what two recipients read
//! differently is how requests are smuggled.

mod chunked;
mod date;
mod field;
mod fields;
mod head;
mod length;
mod limits;
mod request;
mod scan;
pub mod server;
mod status;
pub(crate) mod syntax;
mod target;

pub use date::Date;
pub use field::{Field, FieldSection, InvalidField};
pub use fields::Fields;
pub use head::{Framing, Head, InterimHead, InvalidInterim};
pub use limits::Limits;
pub use request::{Method, Request, Version};
pub use status::{InvalidStatusCode, StatusCode};
pub use target::Target;
