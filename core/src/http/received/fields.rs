//! Field lines as they were received. httparse decides what a field line is, and nothing here decides that again.
//!
//! | decided by httparse | RFC |
//! |---|---|
//! | a name is a token, directly followed by a colon | 9112 5.1, 9110 5.6.2 |
//! | a value has no control bytes but the tab: no NUL, and no CR alone | 9110 5.5, 9112 2.2 |
//! | the white space around a value is not a part of it | 9112 5.1 |
//! | the empty line ends the section | 9112 2.1 |
//!
//! Ours, because httparse does not do it:
//!
//! - The end of a section is found line by line as the bytes arrive ([`LineScan`](crate::http::grammar::lines::LineScan)).
//!   httparse begins again with each call, so a head that comes byte by byte would take it quadratic time. It also
//!   accepts LF alone as a line end everywhere; requests, trailers and strict reading refuse that (RFC 9112 2.2 and 7.1).
//! - The number of lines and of bytes is bounded, and which bound was met is told.
//! - A fold in a response becomes one space ([`fold`], RFC 9112 5.2). httparse keeps its line end in the value, and folds
//!   only where it parses a whole response. What is a fold is all that is decided there: the unfolded lines are httparse's
//!   to judge, and a fold within a name leaves a space that it refuses.
//! - The words of a refusal. httparse tells whether the name or the value is wrong, but not in which line: each line is
//!   given to it again.
//! - The first line of a head ([`RequestLine`], [`StatusLine`]), which httparse would parse with the fields. It tells
//!   neither a major version that calls for 505 (RFC 9110 15.6.6) from one that is none, nor a long method for 501 and a
//!   long target for 414 (RFC 9112 3). It takes 1.0 and 1.1 alone for versions (RFC 9110 2.5), and drops a reason phrase
//!   with bytes above 127.
//! - The size of a chunk ([`Chunked`], RFC 9112 7.1): httparse skips white space and extensions of any length, and begins
//!   again with each call.
//! - What is sent is checked when a field is made ([`Field`](crate::http::Field)); httparse only reads.
//!
//! [`RequestLine`]: super::request::RequestLine
//! [`StatusLine`]: super::response::StatusLine
//! [`Chunked`]: super::chunked::Chunked

use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;

use crate::http::Reading;
use crate::http::grammar::{characters, fold};
use crate::{Error, Exceeded, Limit, Violation};

/// The field lines of a head or of a trailer section, in the order in which they came. RFC 9110 5.
///
/// Names compare without regard to case. A value has no white space around it. It may hold bytes above 127, whose
/// meaning is up to the sender (RFC 9110 5.5).
///
/// `Debug` hides the values of fields that carry credentials: Authorization, Cookie, Set-Cookie and
/// Proxy-Authorization.
#[derive(Clone, Default)]
pub struct Fields {
    section: Bytes,
    lines: Vec<FieldLine>,
}

/// The position of a name and a value in the section. A section is at most 16 MiB.
#[derive(Clone, Copy)]
struct FieldLine {
    name: u32,
    name_end: u32,
    value: u32,
    value_end: u32,
}

impl Fields {
    /// Without lines. `section` has the first line of the head.
    pub(in crate::http) fn empty(section: Bytes) -> Self {
        Self { section, lines: Vec::new() }
    }

    /// The value of the first line with this name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.lines.iter().find(|line| self.is_named(line, name)).map(|line| self.value(line))
    }

    /// The value of the first line with this name, if it is ASCII.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| value.is_ascii()).and_then(|value| core::str::from_utf8(value).ok())
    }

    /// The values of all lines with this name.
    pub fn get_all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.lines.iter().filter(move |line| self.is_named(line, name)).map(|line| self.value(line))
    }

    /// The elements of all lines with this name, read as one comma-separated list. RFC 9110 5.6.1.
    ///
    /// Skips empty elements. Does not recognize commas inside quoted strings.
    pub fn list<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.get_all(name).flat_map(characters::list).filter(|element| !element.is_empty())
    }

    /// Every name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.lines.iter().map(|line| {
            // The names were found to be tokens, so the text is ASCII.
            let name = core::str::from_utf8(self.range(line.name, line.name_end)).unwrap_or_default();
            (name, self.value(line))
        })
    }

    /// The number of field lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// True if there are no field lines.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// True if the list of all lines with this name has an element equal to `element`, without regard to case.
    pub fn list_contains(&self, name: &str, element: &str) -> bool {
        self.list(name).any(|found| found.eq_ignore_ascii_case(element.as_bytes()))
    }

    /// Names are looked up for each request, so they are compared as bytes.
    fn is_named(&self, line: &FieldLine, name: &str) -> bool {
        self.range(line.name, line.name_end).eq_ignore_ascii_case(name.as_bytes())
    }

    fn value(&self, line: &FieldLine) -> &[u8] {
        self.range(line.value, line.value_end)
    }

    /// A part of the section, such as a value, without a copy.
    #[cfg(feature = "http")]
    pub(in crate::http) fn share(&self, part: &[u8]) -> Bytes {
        self.section.slice_ref(part)
    }

    /// The whole head or trailer section that holds the fields.
    pub(in crate::http) fn section(&self) -> &[u8] {
        &self.section
    }

    fn range(&self, start: u32, end: u32) -> &[u8] {
        let (Ok(start), Ok(end)) = (usize::try_from(start), usize::try_from(end)) else { return &[] };
        self.section.get(start..end).unwrap_or_default()
    }

    /// Reads the field lines from `from` to the empty line at the end of `section`, at most `limit` lines.
    ///
    /// # Errors
    ///
    /// Returns the section with the reason.
    pub(in crate::http) fn parse(
        section: Bytes,
        from: usize,
        limit: usize,
        reading: Reading,
    ) -> Result<Self, (Bytes, Error)> {
        let error = match parse_lines(&section, from, limit) {
            Ok(lines) => return Ok(Self { section, lines }),
            Err(error) => error,
        };
        // RFC 9112 5.2: a user agent replaces each fold in a response. A fold in a request may be refused, and is.
        let unfolded = match reading {
            Reading::Ordinary => fold::unfold(&section, from),
            Reading::Strict => None,
        };
        let Some(unfolded) = unfolded else { return Err((section, error)) };
        match parse_lines(&unfolded, from, limit) {
            Ok(lines) => Ok(Self { section: unfolded, lines }),
            Err(error) => Err((section, error)),
        }
    }
}

fn parse_lines(section: &[u8], from: usize, limit: usize) -> Result<Vec<FieldLine>, Error> {
    let text = section.get(from..).unwrap_or_default();
    let mut lines = Vec::new();
    let mut small = [httparse::EMPTY_HEADER; SMALL];
    let mut large;
    let found = match httparse::parse_headers(text, &mut small) {
        Err(httparse::Error::TooManyHeaders) if limit > SMALL => {
            // Sized by the lines that came, not by the limit.
            let lines = text.split(|&byte| byte == b'\n').count();
            large = alloc::vec![httparse::EMPTY_HEADER; limit.min(lines)];
            httparse::parse_headers(text, &mut large)
        }
        found => found,
    };
    match found {
        Ok(httparse::Status::Complete((_, headers))) if headers.len() <= limit => {
            let base = section.as_ptr().addr();
            lines.reserve_exact(headers.len());
            for header in headers {
                lines.push(FieldLine::at(base, header)?);
            }
        }
        Ok(httparse::Status::Complete(_)) | Err(httparse::Error::TooManyHeaders) => {
            return Err(Exceeded::count(Limit::FieldCount, limit).into());
        }
        Ok(httparse::Status::Partial) | Err(_) => return Err(blame(text).into()),
    }
    Ok(lines)
}

/// Field lines that are parsed without an allocation for httparse's table; more need one.
const SMALL: usize = 32;

impl FieldLine {
    fn at(base: usize, header: &httparse::Header<'_>) -> Result<Self, Error> {
        let value = header.value;
        let offset = |start: *const u8, len: usize| {
            let start = u32::try_from(start.addr().wrapping_sub(base)).ok()?;
            Some((start, start.checked_add(u32::try_from(len).ok()?)?))
        };
        // An empty value has no position that matters.
        let value = if value.is_empty() { Some((0, 0)) } else { offset(value.as_ptr(), value.len()) };
        match (offset(header.name.as_ptr(), header.name.len()), value) {
            (Some((name, name_end)), Some((value, value_end))) => {
                Ok(Self { name, name_end, value, value_end })
            }
            _ => Err(Exceeded::bytes(Limit::HeadBytes, 16 << 20).into()),
        }
    }
}

/// Finds the line of an invalid section that httparse refuses, and says what is wrong with it.
fn blame(text: &[u8]) -> Violation {
    let mut lines = text.split_inclusive(|&byte| byte == b'\n');
    let refused = lines.find_map(|line| {
        let error = httparse::parse_headers(line, &mut [httparse::EMPTY_HEADER]).err()?;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        Some((line.strip_suffix(b"\r").unwrap_or(line), error))
    });
    let Some((line, error)) = refused else { return Violation::new("field lines", text, "RFC 9112 5") };
    let colon = characters::find(b':', line);
    let (name, value) = line.split_at(colon.unwrap_or(line.len()));
    match (error, name) {
        (httparse::Error::HeaderValue, _) => {
            Violation::new("a field value without control bytes", value, "RFC 9110 5.5")
        }
        // This includes obs-fold, a line that continues the one before it.
        (_, [b' ' | b'\t', ..]) => {
            Violation::new("a field line without white space before its name", line, "RFC 9112 5.2")
        }
        _ if colon.is_none() => Violation::new("a field name followed by a colon", line, "RFC 9112 5"),
        _ => Violation::new("a token directly followed by a colon as a field name", name, "RFC 9112 5.1"),
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.iter() {
            if CREDENTIALS.iter().any(|secret| name.eq_ignore_ascii_case(secret)) {
                map.entry(&name, &format_args!("(hidden, {} bytes)", value.len()));
            } else {
                map.entry(&name, &format_args!("\"{}\"", value.escape_ascii()));
            }
        }
        map.finish()
    }
}

const CREDENTIALS: [&str; 4] = ["authorization", "cookie", "set-cookie", "proxy-authorization"];

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    fn parse(text: &str) -> Result<Fields, Error> {
        Fields::parse(Bytes::copy_from_slice(text.as_bytes()), 0, 100, Reading::Strict)
            .map_err(|(_, error)| error)
    }

    #[test]
    fn names_compare_without_case_and_values_are_trimmed() {
        let fields = parse("A: 1\r\nb:\t two , three \r\na:\r\nB: four\r\n\r\n").unwrap();
        assert_eq!(fields.get("a"), Some(&b"1"[..]));
        assert_eq!(fields.get_all("A").collect::<Vec<_>>(), [&b"1"[..], b""]);
        assert_eq!(fields.list("b").collect::<Vec<_>>(), [&b"two"[..], b"three", b"four"]);
        assert!(fields.list_contains("B", "FOUR") && !fields.list_contains("b", "tw"));
        assert_eq!((fields.len(), fields.get("c")), (4, None));
    }

    #[test]
    fn debug_hides_credentials() {
        let fields = parse("Cookie: id=secret\r\nAuthorization: Basic secret\r\nX: \u{e9}\r\n\r\n").unwrap();
        let text = format!("{fields:?}");
        assert!(!text.contains("secret") && text.contains("(hidden, 9 bytes)"), "{text}");
    }

    #[test]
    fn the_blame_names_the_line() {
        let (space, colon, token, value) = (
            "a field line without white space before its name",
            "a field name followed by a colon",
            "a token directly followed by a colon as a field name",
            "a field value without control bytes",
        );
        for (line, expected, got) in [
            (" c", space, " c"),
            ("\t", space, "\t"),
            (" c: \0", space, " c: \0"),
            ("c", colon, "c"),
            ("\r", colon, "\r"),
            ("a : b", token, "a "),
            (": b", token, ""),
            ("\ra: b", token, "\ra"),
            ("a\0: \0", token, "a\0"),
            ("a: b\0", value, ": b\0"),
            ("a: b\rc", value, ": b\rc"),
            ("a: b\r", value, ": b\r"),
        ] {
            for text in [format!("x: y\r\n{line}\r\n\0\r\n\r\n"), format!("{line}\r\n\r\n")] {
                let Err(Error::Protocol(violation)) = parse(&text) else { panic!("{text:?}") };
                let wanted = Violation::new(expected, got.as_bytes(), violation.section());
                assert_eq!(format!("{violation}"), format!("{wanted}"), "{text:?}");
            }
        }
    }

    #[test]
    fn the_count_is_bounded_below_and_above_the_small_table() {
        let lines = |n: usize| format!("{}\r\n", "a: b\r\n".repeat(n));
        for limit in [10, SMALL, 100] {
            let fields = |n| Fields::parse(Bytes::from(lines(n)), 0, limit, Reading::Ordinary);
            assert_eq!(fields(limit).unwrap().len(), limit);
            assert!(matches!(fields(limit + 1), Err((_, Error::Limit(_)))));
        }
    }
}
