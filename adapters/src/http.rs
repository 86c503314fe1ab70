//! HTTP/1.1 as programs name it: heads, fields, methods, status codes and limits.
//!
//! What is sent is a [`Request`], a [`Response`] or an [`Interim`] ([`Connect`] and [`Upgrade`] for other protocols); what was
//! received is a [`RequestHead`], a [`ResponseHead`] or an [`InterimHead`].
//!
//! All of it comes from [`endwell_core::http`], which also has the states of a connection, for those who drive one.

pub use endwell_core::http::{
    Connect, Date, Field, FieldSection, Fields, Framing, HttpLimits, Interim, InterimHead, InvalidField,
    InvalidInterim, InvalidMethod, InvalidRequest, InvalidStatusCode, Method, Reading, Request, RequestHead,
    Response, ResponseHead, StatusCode, Target, Upgrade, Version,
};

#[cfg(feature = "http")]
pub use endwell_core::http::{InvalidHead, UnsupportedVersion};
