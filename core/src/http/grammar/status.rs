//! Status codes, RFC 9110 15.

use core::fmt;

/// A final status code: 200 to 599. RFC 9110 15.
///
/// Interim codes do not end an exchange and have their own type, [`Interim`](crate::http::Interim).
///
/// A received code may also be below 100 or from 600 to 999, unless responses are read in
/// [`Strict`](crate::http::Reading::Strict). Such a code is valid in no message and counts as a server error. A
/// [`Response`](crate::http::Response) made from it has status 502.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusCode(u16);

/// A number that is not a final status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidStatusCode(u16);

impl fmt::Display for InvalidStatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected a final status code from 200 to 599, got {} (RFC 9110 15)", self.0)
    }
}

impl core::error::Error for InvalidStatusCode {}

macro_rules! status_codes {
    ($($number:literal $name:ident $reason:literal)*) => {
        impl StatusCode {
            $(#[doc = concat!($number, " ", $reason)] pub const $name: Self = Self($number);)*

            /// The reason phrase of a registered code; empty for any other.
            pub const fn reason(self) -> &'static str {
                match self.0 {
                    $($number => $reason,)*
                    _ => "",
                }
            }
        }
    };
}

status_codes! {
    200 OK "OK"
    201 CREATED "Created"
    202 ACCEPTED "Accepted"
    203 NON_AUTHORITATIVE_INFORMATION "Non-Authoritative Information"
    204 NO_CONTENT "No Content"
    205 RESET_CONTENT "Reset Content"
    206 PARTIAL_CONTENT "Partial Content"
    300 MULTIPLE_CHOICES "Multiple Choices"
    301 MOVED_PERMANENTLY "Moved Permanently"
    302 FOUND "Found"
    303 SEE_OTHER "See Other"
    304 NOT_MODIFIED "Not Modified"
    307 TEMPORARY_REDIRECT "Temporary Redirect"
    308 PERMANENT_REDIRECT "Permanent Redirect"
    400 BAD_REQUEST "Bad Request"
    401 UNAUTHORIZED "Unauthorized"
    402 PAYMENT_REQUIRED "Payment Required"
    403 FORBIDDEN "Forbidden"
    404 NOT_FOUND "Not Found"
    405 METHOD_NOT_ALLOWED "Method Not Allowed"
    406 NOT_ACCEPTABLE "Not Acceptable"
    407 PROXY_AUTHENTICATION_REQUIRED "Proxy Authentication Required"
    408 REQUEST_TIMEOUT "Request Timeout"
    409 CONFLICT "Conflict"
    410 GONE "Gone"
    411 LENGTH_REQUIRED "Length Required"
    412 PRECONDITION_FAILED "Precondition Failed"
    413 CONTENT_TOO_LARGE "Content Too Large"
    414 URI_TOO_LONG "URI Too Long"
    415 UNSUPPORTED_MEDIA_TYPE "Unsupported Media Type"
    416 RANGE_NOT_SATISFIABLE "Range Not Satisfiable"
    417 EXPECTATION_FAILED "Expectation Failed"
    421 MISDIRECTED_REQUEST "Misdirected Request"
    422 UNPROCESSABLE_CONTENT "Unprocessable Content"
    426 UPGRADE_REQUIRED "Upgrade Required"
    428 PRECONDITION_REQUIRED "Precondition Required"
    429 TOO_MANY_REQUESTS "Too Many Requests"
    431 REQUEST_HEADER_FIELDS_TOO_LARGE "Request Header Fields Too Large"
    500 INTERNAL_SERVER_ERROR "Internal Server Error"
    501 NOT_IMPLEMENTED "Not Implemented"
    502 BAD_GATEWAY "Bad Gateway"
    503 SERVICE_UNAVAILABLE "Service Unavailable"
    504 GATEWAY_TIMEOUT "Gateway Timeout"
    505 HTTP_VERSION_NOT_SUPPORTED "HTTP Version Not Supported"
}

impl StatusCode {
    /// Makes the status code with this number.
    ///
    /// # Errors
    ///
    /// If the number is outside 200 to 599.
    pub const fn new(code: u16) -> Result<Self, InvalidStatusCode> {
        if code >= 200 && code <= 599 { Ok(Self(code)) } else { Err(InvalidStatusCode(code)) }
    }

    /// Makes a final code that a server sent: three digits, and not 1xx.
    pub(in crate::http) const fn received(code: u16) -> Option<Self> {
        if code <= 999 && !matches!(code, 100..=199) { Some(Self(code)) } else { None }
    }

    /// The code if it is valid, otherwise 502. RFC 9110 15.6.3: a gateway answers 502 to an invalid response.
    pub(in crate::http) const fn to_send(self) -> Self {
        if self.is_valid() { self } else { Self::BAD_GATEWAY }
    }

    /// True from 200 to 599. Any other code was received, and RFC 9110 15 does not define it.
    pub const fn is_valid(self) -> bool {
        self.0 >= 200 && self.0 <= 599
    }

    /// The number.
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// True from 300 to 399.
    pub const fn is_redirection(self) -> bool {
        self.0 >= 300 && self.0 < 400
    }

    /// True from 400 to 499.
    pub const fn is_client_error(self) -> bool {
        self.0 >= 400 && self.0 < 500
    }

    /// True from 200 to 299.
    pub const fn is_success(self) -> bool {
        self.0 >= 200 && self.0 < 300
    }

    /// True from 500 to 599, and for every code that is not valid: RFC 9110 15 has a client treat those like a 5xx.
    pub const fn is_server_error(self) -> bool {
        self.0 >= 500 || !self.is_valid()
    }
}

impl TryFrom<u16> for StatusCode {
    type Error = InvalidStatusCode;

    fn try_from(code: u16) -> Result<Self, InvalidStatusCode> {
        Self::new(code)
    }
}

impl From<StatusCode> for u16 {
    fn from(status: StatusCode) -> Self {
        status.0
    }
}

impl fmt::Debug for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatusCode({:03})", self.0)
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03} {}", self.0, self.reason())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::http::Response;

    #[test]
    fn a_code_that_is_not_valid_is_received_as_a_servers_error_and_never_sent() {
        for code in [0, 7, 99, 600, 999] {
            let status = StatusCode::received(code).unwrap();
            assert_eq!((status.as_u16(), status.reason()), (code, ""));
            assert!(!status.is_valid() && !status.is_success() && status.is_server_error(), "{code}");
            assert_eq!(StatusCode::new(code), Err(InvalidStatusCode(code)));
            assert_eq!(Response::new(status).status(), StatusCode::BAD_GATEWAY);
            assert_eq!(Response::from(status).status(), StatusCode::BAD_GATEWAY);
        }
        assert_eq!(StatusCode::received(7).unwrap().to_string(), "007 ");
    }

    #[test]
    fn a_valid_one_is_what_it_was() {
        for code in 200..=599 {
            let status = StatusCode::received(code).unwrap();
            assert_eq!(Ok(status), StatusCode::new(code));
            assert_eq!(Response::new(status).status(), status);
            assert_eq!((status.is_success(), status.is_server_error()), (code < 300, code >= 500));
        }
        for code in [100, 101, 199, 1000, u16::MAX] {
            assert_eq!(StatusCode::received(code), None);
        }
    }
}
