//! One table decides how long a message's body is. RFC 9112 6.3.

use super::{Fields, StatusCode, Version, syntax};
use crate::Violation;

/// How the length of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyLength {
    /// So many bytes.
    Known(u64),
    /// Until the last chunk.
    Chunked,
    /// Until the stream ends. A response only.
    UntilClose,
}

/// What of a request decides whether its response can have content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// HEAD: none.
    Head,
    /// Any other method.
    Content,
}

/// Why no length could be decided: there is no body to be trusted, and nothing behind it.
#[derive(Debug)]
pub(super) enum Undecidable {
    /// What no peer may send.
    Invalid(Violation),
    /// A transfer coding that is not implemented, under a final chunked.
    UnknownCoding(Violation),
}

impl BodyLength {
    /// What the fields of either message announce.
    ///
    /// | Transfer-Encoding | Content-Length | version | announced |
    /// |---|---|---|---|
    /// | none | none | any | nothing |
    /// | none | one line of digits | any | that many bytes |
    /// | none | anything else | any | invalid |
    /// | chunked alone | none | 1.1 | until the last chunk |
    /// | known or unknown codings, then chunked | none | 1.1 | unknown |
    /// | anything else | none | 1.1 | invalid |
    /// | any | any | 1.1 | invalid |
    /// | any | none or any | 1.0 | invalid |
    fn announced(fields: &Fields, version: Version) -> Result<Option<Self>, Undecidable> {
        let mut lengths = fields.get_all("content-length");
        let mut codings = fields.get_all("transfer-encoding").peekable();
        let invalid =
            |expected, got, section| Err(Undecidable::Invalid(Violation::new(expected, got, section)));
        match (codings.peek(), lengths.next(), version) {
            (None, None, _) => Ok(None),
            (None, Some(first), _) => match (parse_length(first), lengths.next()) {
                (Some(length), None) => Ok(Some(Self::Known(length))),
                // RFC 9112 6.3 lets a recipient merge equal lengths. Two that differ in this disagree about
                // where the next message starts.
                (_, Some(second)) => invalid("one Content-Length", second, "RFC 9110 8.6"),
                (None, None) => invalid("a Content-Length of digits, below 2^64", first, "RFC 9110 8.6"),
            },
            (Some(coding), _, Version::Http10) => {
                invalid("no Transfer-Encoding in HTTP/1.0", coding, "RFC 9112 6.1")
            }
            // RFC 9112 6.1: a length beside a transfer coding is how requests are smuggled.
            (Some(coding), Some(_), _) => {
                invalid("either Content-Length or Transfer-Encoding", coding, "RFC 9112 6.3")
            }
            (Some(_), None, _) => Self::of_codings(codings).map(Some),
        }
    }

    /// A request has the body that is announced, or none. What is invalid is 400, and what is unknown 501.
    pub(super) fn of_request(fields: &Fields, version: Version) -> Result<Self, Undecidable> {
        Ok(Self::announced(fields, version)?.unwrap_or(Self::Known(0)))
    }

    /// | request | status | announced | a response's body |
    /// |---|---|---|---|
    /// | HEAD | any | anything valid | none |
    /// | any | 204, 304 | anything valid | none |
    /// | other | other | a length or chunks | that |
    /// | other | other | nothing | until the stream ends |
    ///
    /// What is invalid or unknown is an error, whether there is a body or not: we never ask for another coding
    /// (RFC 9112 7.4). Neither a 1xx nor a 2xx to CONNECT comes here.
    pub(super) fn of_response(
        request: Asked,
        status: StatusCode,
        fields: &Fields,
        version: Version,
    ) -> Result<Self, Violation> {
        let announced = Self::announced(fields, version).map_err(|undecidable| match undecidable {
            Undecidable::Invalid(violation) | Undecidable::UnknownCoding(violation) => violation,
        })?;
        Ok(match (request, status) {
            (Asked::Head, _) | (_, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) => Self::Known(0),
            (Asked::Content, _) => announced.unwrap_or(Self::UntilClose),
        })
    }

    /// The length that a response announces of its content, whether that comes or not.
    pub(super) fn of_content(fields: &Fields, version: Version) -> Option<u64> {
        match Self::announced(fields, version) {
            Ok(Some(Self::Known(length))) => Some(length),
            Ok(Some(Self::Chunked | Self::UntilClose) | None) | Err(_) => None,
        }
    }

    fn of_codings<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Result<Self, Undecidable> {
        let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
        let mut other = None;
        let mut codings = lines.flat_map(syntax::list).peekable();
        while let Some(coding) = codings.next() {
            let name = coding.split(|&byte| byte == b';').next().map(syntax::trim).unwrap_or_default();
            let last = codings.peek().is_none();
            // Parameters make it another coding than ours: chunked has none (RFC 9112 7.1).
            if !syntax::is_token(name)
                || (is_chunked(name) && !(last && is_chunked(coding)))
                || (last && !is_chunked(name))
            {
                // A chunked in its form is not wrong itself, but what stands behind it.
                let got = codings.next().filter(|_| is_chunked(coding)).unwrap_or(coding);
                let expected = "chunked, once and as the last transfer coding";
                return Err(Undecidable::Invalid(Violation::new(expected, got, "RFC 9112 6.1")));
            }
            if !last {
                other = Some(coding);
            }
        }
        match other {
            None => Ok(Self::Chunked),
            Some(coding) => {
                let violation = Violation::new("no transfer coding but chunked", coding, "RFC 9112 6.1");
                Err(Undecidable::UnknownCoding(violation))
            }
        }
    }
}

/// 1*DIGIT, and nothing else: no sign, no space, no list.
fn parse_length(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    core::str::from_utf8(text).ok()?.parse().ok()
}
