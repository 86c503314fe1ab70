//! Decides how long a message's body is, in one table. RFC 9112 6.3.

use super::persistence::Persistence;
use crate::Violation;
use crate::http::grammar::characters;
use crate::http::{Fields, Reading, StatusCode, Version};

/// How the length of a body is determined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum BodyLength {
    /// This many bytes.
    Known(u64),
    /// Until the last chunk.
    Chunked,
    /// Until the stream ends. Only in a response.
    UntilClose,
}

/// What the request decides about the content of its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Asked {
    /// HEAD: the response has no content.
    Head,
    /// Any other method.
    Content,
}

/// Why no length could be determined: the body cannot be trusted, nor anything after it.
#[derive(Debug)]
pub(in crate::http) enum Undecidable {
    /// The message is invalid.
    Invalid(Violation),
    /// The transfer coding before the final chunked is not implemented.
    UnknownCoding(Violation),
}

/// What a response's fields, its status and its request determine about its body.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Framed {
    pub(in crate::http) length: BodyLength,
    /// The announced length of the content, whether the content comes or not.
    pub(in crate::http) announced: Option<u64>,
    /// `Close` if the bytes after the body cannot be trusted.
    pub(in crate::http) persistence: Persistence,
}

impl BodyLength {
    /// Reads what the fields of a request or a response announce.
    ///
    /// | Transfer-Encoding | Content-Length | version | strictly | ordinarily |
    /// |---|---|---|---|---|
    /// | none | none | any | nothing | nothing |
    /// | none | one line of digits | any | that many bytes | that many bytes |
    /// | none | one number several times | any | invalid | that many bytes |
    /// | none | anything else | any | invalid | invalid |
    /// | chunked alone | none | 1.1 | until the last chunk | until the last chunk |
    /// | identity, then chunked | none | 1.1 | unknown | until the last chunk, and closes |
    /// | other codings, then chunked | none | 1.1 | unknown | unknown |
    /// | chunked twice or not last | none | 1.1 | invalid | invalid |
    /// | codings without chunked | none | 1.1 | invalid | until the close |
    /// | any | any valid | 1.1 | invalid | as without a length, and closes |
    /// | any | none or any valid | 1.0 | invalid | as without a length, and closes |
    fn announced(
        fields: &Fields,
        version: Version,
        reading: Reading,
    ) -> Result<(Option<Self>, Persistence), Undecidable> {
        let invalid =
            |expected, got, section| Err(Undecidable::Invalid(Violation::new(expected, got, section)));
        let codings = || fields.get_all("transfer-encoding");
        let Some(coding) = codings().next() else {
            return Ok((of_lengths(fields, reading)?.map(Self::Known), Persistence::Keep));
        };
        let has_length = fields.get("content-length").is_some();
        match (reading, version) {
            (Reading::Strict, Version::Http10) => {
                invalid("no Transfer-Encoding in HTTP/1.0", coding, "RFC 9112 6.1")
            }
            // RFC 9112 6.1: a length beside a transfer coding is how requests are smuggled.
            (Reading::Strict, Version::Http11) if has_length => {
                invalid("either Content-Length or Transfer-Encoding", coding, "RFC 9112 6.3")
            }
            (Reading::Ordinary | Reading::Strict, _) => {
                of_lengths(fields, reading)?;
                let (length, persistence) = Self::of_codings(codings(), reading)?;
                // RFC 9112 6.1 and 6.3: the coding decides, and the bytes after the message are not trusted.
                let is_faulty = has_length || version == Version::Http10;
                Ok((Some(length), if is_faulty { Persistence::Close } else { persistence }))
            }
        }
    }

    /// A request has the body that it announces, or none. An invalid length is 400, an unknown coding 501.
    pub(in crate::http) fn of_request(fields: &Fields, version: Version) -> Result<Self, Undecidable> {
        let (announced, _) = Self::announced(fields, version, Reading::Strict)?;
        Ok(announced.unwrap_or(Self::Known(0)))
    }

    fn of_codings<'a>(
        lines: impl Iterator<Item = &'a [u8]>,
        reading: Reading,
    ) -> Result<(Self, Persistence), Undecidable> {
        let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
        let (mut other, mut persistence) = (None, Persistence::Keep);
        let mut codings = lines.flat_map(characters::list).peekable();
        while let Some(coding) = codings.next() {
            let name = coding.split(|&byte| byte == b';').next().map(characters::trim).unwrap_or_default();
            let last = codings.peek().is_none();
            match reading {
                // A coding with parameters is not the chunked that we know: chunked has none (RFC 9112 7.1).
                _ if last && is_chunked(coding) => {}
                Reading::Ordinary if last && characters::is_token(name) && !is_chunked(name) => {
                    return Ok((Self::UntilClose, Persistence::Close));
                }
                Reading::Ordinary if !last && coding.eq_ignore_ascii_case(b"identity") => {
                    persistence = Persistence::Close;
                }
                _ if !last && characters::is_token(name) && !is_chunked(name) => other = Some(coding),
                Reading::Ordinary | Reading::Strict => {
                    // A well-formed chunked is not wrong itself; what follows it is.
                    let got = codings.next().filter(|_| is_chunked(coding)).unwrap_or(coding);
                    let expected = "chunked, once and as the last transfer coding";
                    return Err(Undecidable::Invalid(Violation::new(expected, got, "RFC 9112 6.1")));
                }
            }
        }
        match other {
            None => Ok((Self::Chunked, persistence)),
            Some(coding) => {
                let violation = Violation::new("no transfer coding but chunked", coding, "RFC 9112 6.1");
                Err(Undecidable::UnknownCoding(violation))
            }
        }
    }
}

impl Framed {
    /// Determines the body of a response.
    ///
    /// | request | status | announced | a response's body |
    /// |---|---|---|---|
    /// | HEAD | any | anything valid | none |
    /// | any | 204, 304 | anything valid | none |
    /// | other | other | a length or codings | that |
    /// | other | other | nothing | until the stream ends |
    ///
    /// An invalid length or an unknown coding is an error, whether there is a body or not: we never ask for another
    /// coding (RFC 9112 7.4). This is never called for a 1xx, nor for a 2xx to CONNECT.
    ///
    /// RFC 9110 8.6 and RFC 9112 6.1: a 204 has neither a length nor a transfer coding. It ends with its head. If it
    /// announces content, the bytes after it may be that content.
    pub(in crate::http) fn of_response(
        request: Asked,
        status: StatusCode,
        fields: &Fields,
        version: Version,
        reading: Reading,
    ) -> Result<Self, Violation> {
        let (announced, persistence) =
            BodyLength::announced(fields, version, reading).map_err(|undecidable| match undecidable {
                Undecidable::Invalid(violation) | Undecidable::UnknownCoding(violation) => violation,
            })?;
        let none = BodyLength::Known(0);
        let (length, persistence) = match (request, status) {
            (_, StatusCode::NO_CONTENT) if announced.is_some_and(|announced| announced != none) => {
                (none, Persistence::Close)
            }
            (Asked::Head, _) | (_, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) => (none, persistence),
            (Asked::Content, _) => (announced.unwrap_or(BodyLength::UntilClose), persistence),
        };
        let announced = match announced {
            Some(BodyLength::Known(length)) => Some(length),
            Some(BodyLength::Chunked | BodyLength::UntilClose) | None => None,
        };
        Ok(Self { length, announced, persistence })
    }
}

/// Returns the one number in all lines of Content-Length. RFC 9112 6.3 lets a recipient merge equal ones. Two
/// recipients that differ in this disagree about where the next message starts.
fn of_lengths(fields: &Fields, reading: Reading) -> Result<Option<u64>, Undecidable> {
    let invalid = |expected, got| Err(Undecidable::Invalid(Violation::new(expected, got, "RFC 9110 8.6")));
    let lines = || fields.get_all("content-length");
    if lines().next().is_none() {
        return Ok(None);
    }
    match (reading, lines().nth(1)) {
        (Reading::Strict, Some(second)) => return invalid("one Content-Length", second),
        (Reading::Strict, None) | (Reading::Ordinary, _) => {}
    }
    let mut known = None;
    for element in lines().flat_map(|line| line.split(|&byte| byte == b',' && reading == Reading::Ordinary)) {
        let Some(length) = parse_length(characters::trim(element)) else {
            return invalid("a Content-Length of digits, below 2^64", element);
        };
        if known.is_some_and(|known| known != length) {
            return invalid("one Content-Length", element);
        }
        known = Some(length);
    }
    Ok(known)
}

/// Reads 1*DIGIT and nothing else: no sign, no space, no list.
fn parse_length(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    core::str::from_utf8(text).ok()?.parse().ok()
}
