//! Conversions from and to the types of the `http` crate.
//!
//! They are here, and not in the adapters, because only the crate that defines a type can implement `From` and `TryFrom`
//! between it and a type of another crate. The `http` crate needs std, so feature `http` does too.
//!
//! | here | in the `http` crate | to it | from it |
//! |---|---|---|---|
//! | [`Method`] | `Method` | fails for text that is not a token | fails for more than 32 bytes |
//! | [`StatusCode`] | `StatusCode` | fails below 100 | fails outside 200 to 599 |
//! | [`Version`] | `Version` | always succeeds | fails for versions but 1.0 and 1.1 |
//! | [`Target`](crate::http::Target) | `Uri` | fails for characters that `Uri` refuses | |
//! | [`Fields`](crate::http::Fields) | `HeaderMap` | fails for more than 24,576 names | |
//! | [`FieldSection`](crate::http::FieldSection) | `HeaderMap` | likewise | fails for fields that the state machines write |
//! | [`RequestHead`](crate::http::RequestHead) | `Request<()>` | if target and fields can be converted | |
//! | [`ResponseHead`](crate::http::ResponseHead), [`InterimHead`](crate::http::InterimHead) | `Response<()>` | if status and fields can be converted | |
//! | [`Request`](crate::http::Request), [`Connect`](crate::http::Connect) | `Request` | if target and fields can be converted | [`InvalidHead`] tells when not |
//! | [`Response`](crate::http::Response), [`Interim`](crate::http::Interim) | `Response` | if the fields can be converted | [`InvalidHead`] tells when not |
//!
//! A `HeaderMap` keeps the values of a repeated field in their order, but groups them by name and writes names in lower
//! case. So that nothing is lost, a received head that is converted also goes into the extensions of the result, as it
//! came: `request.extensions().get::<RequestHead>()`.
//!
//! ```
//! use endwell_core::http::{Field, Response, StatusCode};
//!
//! let head = Response::new(StatusCode::OK)
//!     .with(Field::from_static("set-cookie", "a=1"))
//!     .with(Field::from_static("set-cookie", "b=2"));
//! let converted = http::Response::<()>::try_from(&head)?;
//! let values: Vec<_> = converted.headers().get_all("set-cookie").iter().collect();
//! assert_eq!(values, ["a=1", "b=2"]);
//! assert_eq!(Response::try_from(&converted)?, head);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod fields;
mod request;
mod response;

use core::fmt;

use crate::http::grammar::method::InvalidMethod;
use crate::http::{
    InvalidField, InvalidInterim, InvalidRequest, InvalidStatusCode, Method, StatusCode, Version,
};

/// Why a head of the `http` crate cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidHead {
    /// Method, host or target cannot be sent.
    Request(InvalidRequest),
    /// The status is not that of a final response.
    Status(InvalidStatusCode),
    /// The status is not that of an interim response that can be sent on its own.
    Interim(InvalidInterim),
    /// The field with this name cannot be sent. A field that frames the message or manages the connection is not
    /// dropped silently: remove it, or pass on what it says in another way.
    Field(::http::HeaderName, InvalidField),
}

impl fmt::Display for InvalidHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(invalid) => invalid.fmt(f),
            Self::Status(invalid) => invalid.fmt(f),
            Self::Interim(invalid) => invalid.fmt(f),
            Self::Field(name, invalid) => write!(f, "{invalid}, got `{name}`"),
        }
    }
}

impl core::error::Error for InvalidHead {}

impl From<InvalidRequest> for InvalidHead {
    fn from(invalid: InvalidRequest) -> Self {
        Self::Request(invalid)
    }
}

impl From<InvalidStatusCode> for InvalidHead {
    fn from(invalid: InvalidStatusCode) -> Self {
        Self::Status(invalid)
    }
}

impl From<InvalidInterim> for InvalidHead {
    fn from(invalid: InvalidInterim) -> Self {
        Self::Interim(invalid)
    }
}

impl TryFrom<Method<'_>> for ::http::Method {
    type Error = ::http::method::InvalidMethod;

    /// Fails only for a [`Method::Extension`] that was made of text that is not a token.
    fn try_from(method: Method<'_>) -> Result<Self, Self::Error> {
        Self::from_bytes(method.as_str().as_bytes())
    }
}

impl<'a> TryFrom<&'a ::http::Method> for Method<'a> {
    type Error = InvalidMethod;

    /// Fails for a method of more than 32 bytes.
    fn try_from(method: &'a ::http::Method) -> Result<Self, InvalidMethod> {
        Self::try_from(method.as_str())
    }
}

impl TryFrom<StatusCode> for ::http::StatusCode {
    type Error = ::http::status::InvalidStatusCode;

    /// Fails only for a received code below 100.
    fn try_from(status: StatusCode) -> Result<Self, Self::Error> {
        Self::from_u16(status.as_u16())
    }
}

impl TryFrom<::http::StatusCode> for StatusCode {
    type Error = InvalidStatusCode;

    /// Fails for the code of an interim response, and above 599.
    fn try_from(status: ::http::StatusCode) -> Result<Self, InvalidStatusCode> {
        Self::new(status.as_u16())
    }
}

impl From<Version> for ::http::Version {
    fn from(version: Version) -> Self {
        match version {
            Version::Http10 => Self::HTTP_10,
            Version::Http11 => Self::HTTP_11,
        }
    }
}

/// A version of HTTP that is neither 1.0 nor 1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsupportedVersion(::http::Version);

impl fmt::Display for UnsupportedVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected HTTP/1.0 or HTTP/1.1, got {:?} (RFC 9112 2.3)", self.0)
    }
}

impl core::error::Error for UnsupportedVersion {}

impl TryFrom<::http::Version> for Version {
    type Error = UnsupportedVersion;

    fn try_from(version: ::http::Version) -> Result<Self, UnsupportedVersion> {
        match version {
            ::http::Version::HTTP_10 => Ok(Self::Http10),
            ::http::Version::HTTP_11 => Ok(Self::Http11),
            other => Err(UnsupportedVersion(other)),
        }
    }
}
