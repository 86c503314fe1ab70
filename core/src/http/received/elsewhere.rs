//! The head of a request that another library received.

use alloc::vec::Vec;

use bytes::Bytes;

use super::request::{InvalidRequestLine, RequestLine};
use crate::http::grammar::characters;
use crate::http::{Fields, Method, Reading, RequestHead, Version};
use crate::{Error, Exceeded, Limit, Violation};

/// The largest head, as for one that is received.
const MOST: usize = 16 << 20;

impl RequestHead {
    /// Makes the head of a request that another library received, for what judges heads, such as
    /// [`Acceptance::accept_upgrade`](crate::ws::Acceptance::accept_upgrade) and
    /// [`Subprotocol::offered`](crate::ws::Subprotocol::offered).
    ///
    /// That library bounds the number and the size of the fields. They are copied.
    ///
    /// # Errors
    ///
    /// If the target does not fit the method, a name or a value has a byte that it cannot have, there are two Host fields, or
    /// the head has more than 16 MiB.
    pub fn from_parts<'a>(
        method: Method<'_>,
        target: &str,
        version: Version,
        fields: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, Error> {
        let version = match version {
            Version::Http10 => " HTTP/1.0",
            Version::Http11 => " HTTP/1.1",
        };
        let mut text = [method.as_str(), " ", target, version].concat().into_bytes();
        let line = match RequestLine::parse(&text, 0..text.len()) {
            Ok(line) => line,
            Err(
                InvalidRequestLine::Syntax(violation)
                | InvalidRequestLine::Method(violation)
                | InvalidRequestLine::Version(violation),
            ) => return Err(violation.into()),
        };
        text.extend(b"\r\n");
        let mut count = 0;
        for (name, value) in fields {
            put(&mut text, name, value)?;
            count += 1;
        }
        text.extend(b"\r\n");
        if text.len() > MOST {
            return Err(Exceeded::bytes(Limit::HeadBytes, MOST).into());
        }
        let fields = Fields::parse(Bytes::from(text), line.end(), count, Reading::Strict);
        let fields = fields.map_err(|(_, error)| error)?;
        // RFC 9112 3.2: what judges a head takes the first.
        if let Some(second) = fields.get_all("host").nth(1) {
            return Err(Violation::new("one Host field", second, "RFC 9112 3.2").into());
        }
        Ok(Self::new(line, fields))
    }
}

/// Writes a line that reads as one.
fn put(text: &mut Vec<u8>, name: &str, value: &[u8]) -> Result<(), Violation> {
    if !characters::is_token(name.as_bytes()) {
        return Err(Violation::new("a token as a field name", name.as_bytes(), "RFC 9110 5.1"));
    }
    if !characters::is_field_value(value) {
        return Err(Violation::new("a field value without control bytes", value, "RFC 9110 5.5"));
    }
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        text.extend(part);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(target: &str, fields: &[(&str, &[u8])]) -> Result<RequestHead, Error> {
        RequestHead::from_parts(Method::Get, target, Version::Http11, fields.iter().copied())
    }

    #[test]
    fn it_reads_as_a_received_one_does() {
        let head = head("/a?b", &[("Host", b"c"), ("x", b" y "), ("X", b"")]).unwrap();
        assert_eq!((head.path(), head.query(), head.authority()), ("/a", Some("b"), Some("c")));
        assert_eq!(head.fields().get_all("x").collect::<Vec<_>>(), [&b"y"[..], b""]);
    }

    #[test]
    fn nothing_becomes_another_line() {
        let long = alloc::vec![b'a'; 17 << 20];
        for (target, fields) in [
            ("/ HTTP/1.1\r\nx: y\r\n\r\n", &[][..]),
            ("/\r\nx: y", &[]),
            ("", &[]),
            ("/", &[("a\r\nb", &b"c"[..])]),
            ("/", &[("a", b"b\r\nc: d")]),
            ("/", &[("a", b"b\n")]),
            ("/", &[("", b"b")]),
            ("/", &[("a: b", b"c")]),
            ("/", &[("host", b"a"), ("Host", b"b")]),
            ("/", &[("a", &long)]),
        ] {
            assert!(head(target, fields).is_err(), "{target:?}");
        }
    }
}
