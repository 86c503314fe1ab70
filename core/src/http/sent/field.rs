//! Field lines to send: checked when they are made, and written as they are.

use alloc::vec::Vec;
use core::fmt;

use crate::http::grammar::characters;

/// One field line to send: a name that is a token and a value without control bytes.
///
/// A field is text, so types cannot rule out an invalid one, and it is checked instead: once, when it is made. Code
/// that holds a `Field` cannot split a response with it.
///
/// The fields that frame messages and manage connections belong to the state machines and are refused: `Connection`,
/// `Content-Length`, `Date`, `Expect`, `Host`, `Keep-Alive`, `Proxy-Connection`, `TE`, `Trailer`, `Transfer-Encoding`
/// and `Upgrade`. So are the fields of the WebSocket handshake, whose names start with `Sec-WebSocket-`.
///
/// ```
/// use endwell_core::http::Field;
///
/// // Known text is checked when the program is compiled.
/// const TEXT: Field<'_> = Field::from_static("content-type", "text/plain");
/// // Any other text is checked when the field is made.
/// assert!(Field::new("location", b"/a\r\nset-cookie: x").is_err());
/// assert!(Field::new("content-length", b"5").is_err());
/// # let _ = TEXT;
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    name: &'a str,
    value: &'a [u8],
}

/// Text that is not a field line, or a field that only the state machines write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidField {
    /// The name is not a token. RFC 9110 5.1.
    Name,
    /// The value holds CR, LF, NUL or another control byte. RFC 9110 5.5.
    Value,
    /// The field frames the message or manages the connection. The state machines write it.
    Reserved,
}

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "expected a token as the field name (RFC 9110 5.1)",
            Self::Value => "expected a field value without control bytes (RFC 9110 5.5)",
            Self::Reserved => "expected a field that does not frame the message or manage the connection",
        })
    }
}

impl core::error::Error for InvalidField {}

impl<'a> Field<'a> {
    /// Makes a field that a state machine writes, of text that is known to be valid.
    pub(crate) const fn own(name: &'a str, value: &'a [u8]) -> Self {
        Self { name, value }
    }

    /// Checks `name` and `value`.
    ///
    /// # Errors
    ///
    /// What is wrong. The arguments are only borrowed.
    pub const fn new(name: &'a str, value: &'a [u8]) -> Result<Self, InvalidField> {
        if !characters::is_token(name.as_bytes()) {
            return Err(InvalidField::Name);
        }
        if !characters::is_field_value(value) {
            return Err(InvalidField::Value);
        }
        if is_reserved(name) {
            return Err(InvalidField::Reserved);
        }
        Ok(Self { name, value })
    }

    /// Makes a field of a name and a value that another library has checked, unless the state machines write it.
    #[cfg(feature = "http")]
    pub(in crate::http) const fn checked(name: &'a str, value: &'a [u8]) -> Option<Self> {
        if is_reserved(name) { None } else { Some(Self { name, value }) }
    }

    /// The name, as it will be sent.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// The value.
    pub const fn value(&self) -> &'a [u8] {
        self.value
    }

    /// The bytes of its line.
    pub(in crate::http) const fn line_len(&self) -> usize {
        self.name.len() + ": ".len() + self.value.len() + "\r\n".len()
    }
}

impl Field<'static> {
    /// Makes a field of known text.
    ///
    /// # Panics
    ///
    /// If [`Field::new`] refuses the text. The value of a constant panics when the program is compiled.
    pub const fn from_static(name: &'static str, value: &'static str) -> Self {
        match Self::new(name, value.as_bytes()) {
            Ok(field) => field,
            Err(InvalidField::Name) => panic!("the field name is not a token"),
            Err(InvalidField::Value) => panic!("the field value has a control byte"),
            Err(InvalidField::Reserved) => panic!("this field is written by the state machine"),
        }
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({}, {} bytes)", self.name, self.value.len())
    }
}

/// True for the names of fields that the state machines write.
const fn is_reserved(name: &str) -> bool {
    let name = name.as_bytes();
    let candidates: &[&str] = match name.len() {
        2 => &["te"],
        4 => &["date", "host"],
        6 => &["expect"],
        7 => &["trailer", "upgrade"],
        10 => &["connection", "keep-alive"],
        14 => &["content-length"],
        16 => &["proxy-connection"],
        17 => &["transfer-encoding"],
        _ => &[],
    };
    let mut rest = candidates;
    while let [candidate, more @ ..] = rest {
        if characters::is_same_name(candidate.as_bytes(), name) {
            return true;
        }
        rest = more;
    }
    matches!(name.split_at_checked(HANDSHAKE.len()), Some((start, _)) if characters::is_same_name(start, HANDSHAKE))
}

/// The prefix of the field names of the WebSocket handshake. RFC 6455 11.3.
const HANDSHAKE: &[u8] = b"sec-websocket-";

/// Field lines to send, in order: those of a head or of a trailer section.
///
/// They can be read and changed until they are sent. Names compare without regard to case.
///
/// ```
/// use endwell_core::http::{Field, Response, StatusCode};
///
/// let mut head = Response::new(StatusCode::OK)
///     .header("vary", "origin")?
///     .header("cache-control", "no-store")?;
/// head.fields_mut().set(Field::from_static("cache-control", "max-age=60"));
/// head.fields_mut().remove("Vary");
/// assert_eq!(head.fields().get("Cache-Control"), Some(&b"max-age=60"[..]));
/// assert_eq!(head.fields().iter().count(), 1);
/// # Ok::<(), endwell_core::http::InvalidField>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FieldSection(Vec<u8>);

impl FieldSection {
    /// Makes an empty section.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    #[cfg(feature = "http")]
    pub(in crate::http) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Adds a line at the end, and returns the section.
    #[must_use]
    pub fn with(mut self, field: Field<'_>) -> Self {
        self.push(field);
        self
    }

    /// Adds a line at the end.
    pub fn push(&mut self, field: Field<'_>) {
        if self.0.capacity() == 0 {
            // Cheaper than to grow, and most sections have few lines.
            self.0 = Vec::with_capacity(field.line_len());
        }
        self.0.extend_from_slice(field.name.as_bytes());
        self.0.extend_from_slice(b": ");
        self.0.extend_from_slice(field.value);
        self.0.extend_from_slice(b"\r\n");
    }

    /// Adds all lines of `other` at the end.
    pub fn append(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    /// Removes all lines with the name of `field`, and adds it at the end.
    pub fn set(&mut self, field: Field<'_>) {
        self.remove(field.name);
        self.push(field);
    }

    /// Removes all lines with this name. Returns whether there were any.
    pub fn remove(&mut self, name: &str) -> bool {
        let is_named = |line: &[u8]| {
            let colon = line.get(name.len());
            colon == Some(&b':') && line.get(..name.len()).is_some_and(|start| is_name(start, name))
        };
        // Most sections are changed seldom, and then in one line.
        let kept: Vec<u8> = lines(&self.0).filter(|line| !is_named(line)).flatten().copied().collect();
        let removed = kept.len() < self.0.len();
        if removed {
            self.0 = kept;
        }
        removed
    }

    /// The value of the first line with this name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.get_all(name).next()
    }

    /// The values of all lines with this name.
    pub fn get_all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.iter().filter(move |(found, _)| is_name(found.as_bytes(), name)).map(|(_, value)| value)
    }

    /// Every name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        lines(&self.0).filter_map(|line| {
            let colon = characters::find(b':', line)?;
            let value = line.get(colon..)?.strip_prefix(b": ")?.strip_suffix(b"\r\n")?;
            Some((core::str::from_utf8(line.get(..colon)?).ok()?, value))
        })
    }

    /// The number of lines.
    pub fn len(&self) -> usize {
        lines(&self.0).count()
    }

    /// True if there are no lines.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lines as they are sent, each with its line end.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The lines of a section, each with its line end, which no value contains.
fn lines(section: &[u8]) -> impl Iterator<Item = &[u8]> {
    section.split_inclusive(|&byte| byte == b'\n')
}

fn is_name(found: &[u8], name: &str) -> bool {
    characters::is_same_name(found, name.as_bytes())
}

impl fmt::Debug for FieldSection {
    /// Shows names only: values may be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn what_the_state_machines_write_is_reserved() {
        for name in [
            "connection",
            "content-length",
            "date",
            "expect",
            "host",
            "keep-alive",
            "proxy-connection",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "sec-websocket-",
            "sec-websocket-key",
        ] {
            let upper = name.to_ascii_uppercase();
            for name in [name, &upper] {
                assert_eq!(Field::new(name, b"x"), Err(InvalidField::Reserved), "{name}");
            }
            for free in [format!("{name}x"), format!("x{name}"), format!("x{}", name.split_at(1).1)] {
                let is_free = free.starts_with("sec-websocket-") || Field::new(&free, b"x").is_ok();
                assert!(is_free, "{free}");
            }
        }
    }

    #[test]
    fn a_field_cannot_split_a_head() {
        for (name, value, expected) in [
            ("", "x", InvalidField::Name),
            ("a b", "x", InvalidField::Name),
            ("a:", "x", InvalidField::Name),
            ("a", "x\r\ny: z", InvalidField::Value),
            ("a", "x\n", InvalidField::Value),
            ("a", "\0", InvalidField::Value),
            ("a", "\x7f", InvalidField::Value),
            ("Transfer-Encoding", "chunked", InvalidField::Reserved),
            ("DATE", "x", InvalidField::Reserved),
            ("Host", "h", InvalidField::Reserved),
            ("expect", "100-continue", InvalidField::Reserved),
            ("Sec-WebSocket-Accept", "x", InvalidField::Reserved),
        ] {
            assert_eq!(Field::new(name, value.as_bytes()), Err(expected), "{name:?}: {value:?}");
        }
        assert!(Field::new("x", b"").is_ok() && Field::new("x", b"a\t\xff").is_ok());
    }

    #[test]
    fn a_section_shows_names_and_writes_lines() {
        let section = FieldSection::new()
            .with(Field::from_static("set-cookie", "secret"))
            .with(Field::from_static("vary", "origin"));
        assert_eq!(section.as_bytes(), b"set-cookie: secret\r\nvary: origin\r\n");
        assert_eq!(format!("{section:?}"), r#"["set-cookie", "vary"]"#);
    }

    #[test]
    fn a_section_can_be_read_and_changed() {
        let lines = [("a", "1"), ("B", ": b"), ("a-b", ""), ("A", "2")];
        let mut section = FieldSection::new();
        for (name, value) in lines {
            section.push(Field::from_static(name, value));
        }
        let expected = lines.map(|(name, value)| (name, value.as_bytes()));
        assert_eq!(section.iter().collect::<Vec<_>>(), expected);
        assert_eq!(
            (section.get("b"), section.get("A-B"), section.get("c")),
            (Some(&b": b"[..]), Some(&b""[..]), None)
        );
        assert_eq!(section.get_all("a").collect::<Vec<_>>(), [b"1", b"2"]);
        assert!(!section.remove("c") && !section.remove("") && !section.remove("a: 1"));
        section.set(Field::from_static("b", "3"));
        assert!(section.remove("a") && section.len() == 2);
        assert_eq!(section.as_bytes(), b"a-b: \r\nb: 3\r\n");
    }
}
