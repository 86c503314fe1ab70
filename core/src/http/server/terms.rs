//! What the head of a request determines about its exchange.

use super::refusal::Reject;
use crate::http::grammar::target;
use crate::http::received::length::{BodyLength, Undecidable};
use crate::http::{HttpLimits, RequestHead, StatusCode, Version};
use crate::{Exceeded, Limit, Violation};

/// What a complete head determines about its exchange before any response.
pub(super) struct Terms {
    pub(super) length: BodyLength,
    pub(super) expects_continue: bool,
}

impl Terms {
    pub(super) fn of(request: &RequestHead, limits: &HttpLimits) -> Result<Self, Reject> {
        check_host(request)?;
        let fields = request.fields();
        let length = match BodyLength::of_request(fields, request.version()) {
            Ok(length) => length,
            Err(Undecidable::Invalid(violation)) => return Err(violation.into()),
            Err(Undecidable::UnknownCoding(violation)) => {
                return Err(Reject::new(StatusCode::NOT_IMPLEMENTED, violation));
            }
        };
        if matches!(length, BodyLength::Known(length) if length > limits.body_bytes) {
            let bound = crate::Bound::Bytes(limits.body_bytes);
            return Err(Exceeded { limit: Limit::BodyBytes, bound }.into());
        }
        let mut expects_continue = false;
        for expectation in fields.list("expect") {
            if !expectation.eq_ignore_ascii_case(b"100-continue") {
                let violation =
                    Violation::new("the expectation 100-continue", expectation, "RFC 9110 10.1.1");
                return Err(Reject::new(StatusCode::EXPECTATION_FAILED, violation));
            }
            // RFC 9110 10.1.1: the expectation of an HTTP/1.0 request is ignored.
            expects_continue = request.version() == Version::Http11;
        }
        Ok(Self { length, expects_continue })
    }
}

/// RFC 9112 3.2: one valid Host in HTTP/1.1; at most one in HTTP/1.0.
fn check_host(request: &RequestHead) -> Result<(), Reject> {
    let mut hosts = request.fields().get_all("host");
    let first = hosts.next();
    if let Some(second) = hosts.next() {
        return Err(Violation::new("one Host field", second, "RFC 9112 3.2").into());
    }
    let Some(host) = first else {
        return match request.version() {
            Version::Http10 => Ok(()),
            Version::Http11 => Err(Violation::new("a Host field", b"", "RFC 9112 3.2").into()),
        };
    };
    let valid =
        target::is_authority(host).ok_or_else(|| Violation::new("a valid Host", host, "RFC 9112 3.2"))?;
    // RFC 9110 7.2: Host is empty only if the target has no authority, which an http target always has.
    if !valid.host && !request.target_has_authority() && !host.is_empty() {
        return Err(Violation::new("a host before the port", host, "RFC 9112 3.2").into());
    }
    Ok(())
}
