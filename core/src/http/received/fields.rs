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
//! - The end of a section that arrives in pieces is found line by line ([`LineScan`](crate::http::grammar::lines::LineScan)).
//!   httparse begins again with each call, so a head that comes byte by byte would take it quadratic time. It also
//!   accepts LF alone as a line end everywhere; requests, trailers and strict reading refuse that (RFC 9112 2.2 and 7.1).
//!   A head that arrives whole is given to httparse first ([`FieldLines::whole`]), and only then the ends of its lines are
//!   looked at.
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
    found: FieldLines,
}

/// Where the field lines of a section lie in it.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct FieldLines {
    lines: Vec<FieldLine>,
    /// The [marks](mark) of their names: most names that are looked up are in no line.
    marks: u64,
}

/// The position of a name and a value in the section. A section is at most 16 MiB.
#[derive(Clone, Copy, Debug)]
struct FieldLine {
    name: u32,
    name_end: u32,
    value: u32,
    value_end: u32,
}

impl Fields {
    /// Without lines. `section` has the first line of the head.
    pub(in crate::http) fn empty(section: Bytes) -> Self {
        Self { section, found: FieldLines::default() }
    }

    /// The value of the first line with this name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.get_all(name).next()
    }

    /// The value of the first line with this name, if it is ASCII.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| value.is_ascii()).and_then(|value| core::str::from_utf8(value).ok())
    }

    /// The values of all lines with this name.
    pub fn get_all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let may_have = self.found.marks & mark(name.as_bytes()) != 0;
        let lines = if may_have { self.found.lines.as_slice() } else { &[] };
        lines.iter().filter(move |line| self.is_named(line, name)).map(|line| self.value(line))
    }

    /// The elements of all lines with this name, read as one comma-separated list. RFC 9110 5.6.1.
    ///
    /// Skips empty elements. Does not recognize commas inside quoted strings.
    pub fn list<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.get_all(name).flat_map(characters::list).filter(|element| !element.is_empty())
    }

    /// Every name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        // The names were found to be tokens, so the text is ASCII.
        self.iter_bytes().map(|(name, value)| (core::str::from_utf8(name).unwrap_or_default(), value))
    }

    /// Every name and value, as bytes.
    pub(in crate::http) fn iter_bytes(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.found.lines.iter().map(|line| (self.range(line.name, line.name_end), self.value(line)))
    }

    /// The number of field lines.
    pub fn len(&self) -> usize {
        self.found.lines.len()
    }

    /// True if there are no field lines.
    pub fn is_empty(&self) -> bool {
        self.found.lines.is_empty()
    }

    /// True if the list of all lines with this name has an element equal to `element`, without regard to case.
    pub fn list_contains(&self, name: &str, element: &str) -> bool {
        self.list(name).any(|found| found.eq_ignore_ascii_case(element.as_bytes()))
    }

    /// Names are looked up for each request, so they are compared as bytes, and first by their lengths.
    fn is_named(&self, line: &FieldLine, name: &str) -> bool {
        line.name_end.wrapping_sub(line.name) == narrow(name.len())
            && self.range(line.name, line.name_end).eq_ignore_ascii_case(name.as_bytes())
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
        self.section.get(wide(start)..wide(end)).unwrap_or_default()
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
            Ok(found) => return Ok(Self { section, found }),
            Err(error) => error,
        };
        // RFC 9112 5.2: a user agent replaces each fold in a response. A fold in a request may be refused, and is.
        let unfolded = match reading {
            Reading::Ordinary => fold::unfold(&section, from),
            Reading::Strict => None,
        };
        let Some(unfolded) = unfolded else { return Err((section, error)) };
        match parse_lines(&unfolded, from, limit) {
            Ok(found) => Ok(Self { section: unfolded, found }),
            Err(error) => Err((section, error)),
        }
    }
}

impl FieldLines {
    /// Finds the field lines from `from` to the empty line in `text`, and where the next line starts.
    ///
    /// `None` unless all of them have arrived, there are at most `limit`, and nothing is wrong with them. What is then
    /// wrong or missing is decided line by line.
    pub(in crate::http) fn whole(
        text: &[u8],
        from: usize,
        limit: usize,
        reading: Reading,
    ) -> Option<(Self, usize)> {
        let mut table = [httparse::EMPTY_HEADER; SMALL];
        let Ok(httparse::Status::Complete((len, headers))) =
            httparse::parse_headers(text.get(from..)?, &mut table)
        else {
            return None;
        };
        // Each line is followed by the next name or by the empty line, and no line has another LF.
        let ends_with = |at: usize, end: &[u8]| text.get(..at).is_some_and(|before| before.ends_with(end));
        let (found, end) = (Self::at(text, headers), from + len);
        let is_valid = match reading {
            Reading::Ordinary => true,
            Reading::Strict => {
                found.lines.iter().all(|line| ends_with(wide(line.name), b"\r\n"))
                    && ends_with(end, b"\r\n\r\n")
            }
        };
        (is_valid && headers.len() <= limit).then_some((found, end))
    }

    /// Makes the fields of the head that the lines were found in.
    pub(in crate::http) fn of(self, section: Bytes) -> Fields {
        Fields { section, found: self }
    }

    /// Notes where `headers`, which are parts of `section`, lie in it.
    fn at(section: &[u8], headers: &[httparse::Header<'_>]) -> Self {
        let base = section.as_ptr().addr();
        let range = |part: &[u8]| {
            let start = part.as_ptr().addr().wrapping_sub(base);
            (narrow(start), narrow(start.wrapping_add(part.len())))
        };
        let mut marks = 0;
        let line = |header: &httparse::Header<'_>| {
            let name = header.name.as_bytes();
            marks |= mark(name);
            let ((name, name_end), (value, value_end)) = (range(name), range(header.value));
            FieldLine { name, name_end, value, value_end }
        };
        let lines = headers.iter().map(line).collect();
        Self { lines, marks }
    }
}

fn parse_lines(section: &[u8], from: usize, limit: usize) -> Result<FieldLines, Error> {
    let text = section.get(from..).unwrap_or_default();
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
            Ok(FieldLines::at(section, headers))
        }
        Ok(httparse::Status::Complete(_)) | Err(httparse::Error::TooManyHeaders) => {
            Err(Exceeded::count(Limit::FieldCount, limit).into())
        }
        Ok(httparse::Status::Partial) | Err(_) => Err(blame(text).into()),
    }
}

/// Field lines that are parsed without an allocation for httparse's table; more need one.
const SMALL: usize = 32;

/// One of 64 bits, by the first letter of a name and its length.
fn mark(name: &[u8]) -> u64 {
    let letter = name.first().map_or(0, |letter| u32::from(letter.to_ascii_lowercase()));
    1 << ((letter ^ (narrow(name.len()) << 2)) % u64::BITS)
}

/// No position in a section is larger.
fn narrow(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

fn wide(position: u32) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
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

    #[test]
    fn a_whole_head_is_taken_only_if_each_line_ends_with_crlf() {
        let whole = |text: &[u8], reading| FieldLines::whole(text, 9, 3, reading);
        for lines in ["\r\n", "a: b\r\n\r\n", "a: b\r\nc:\r\nd: \t\r\n\r\n"] {
            let text = format!("a line.\r\n{lines}").into_bytes();
            let with_more = [&text, &b"\n more"[..]].concat();
            assert!(
                whole(&with_more, Reading::Strict).is_some_and(|(_, end)| end == text.len()),
                "{lines:?}"
            );
            // The line before is judged by the caller.
            for at in (9..text.len()).filter(|&at| text[at] == b'\r') {
                let mut bare = text.clone();
                bare.remove(at);
                assert!(whole(&bare, Reading::Strict).is_none(), "{lines:?} {at}");
                assert!(whole(&bare, Reading::Ordinary).is_some(), "{lines:?} {at}");
            }
            for cut in 0..text.len() {
                assert!(whole(&text[..cut], Reading::Strict).is_none(), "{lines:?} {cut}");
            }
        }
        let many = format!("a line.\r\n{}\r\n", "a: b\r\n".repeat(4));
        assert!(whole(many.as_bytes(), Reading::Strict).is_none());
    }

    #[test]
    fn a_name_is_found_whatever_its_mark() {
        let names = ["a", "B", "content-length", "Content-Type", "x-1", "_", "~~", "te", "TE-", "9"];
        for name in names {
            let fields = parse(&format!("{name}: v\r\n\r\n")).unwrap();
            for other in names {
                assert_eq!(fields.get(other).is_some(), other == name);
                assert_eq!(fields.get(&other.to_ascii_uppercase()).is_some(), other == name);
                assert_eq!(fields.get(&other.to_ascii_lowercase()).is_some(), other == name);
            }
        }
    }
}
