//! The value of Sec-WebSocket-Extensions. RFC 6455 9.1.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use crate::http::grammar::characters;

/// A Sec-WebSocket-Extensions field that does not match the grammar of RFC 6455 9.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedExtensions;

impl fmt::Display for MalformedExtensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected tokens and their parameters in Sec-WebSocket-Extensions (RFC 6455 9.1)")
    }
}

impl core::error::Error for MalformedExtensions {}

/// One element: the name of an extension, and its parameters in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Extension<'a> {
    pub(super) name: &'a [u8],
    pub(super) parameters: Vec<Parameter<'a>>,
}

/// A name, and a value if present, without its quotes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parameter<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: Option<Cow<'a, [u8]>>,
}

/// The elements of all lines, in order.
pub(super) fn parse<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<Extension<'a>>, MalformedExtensions> {
    let mut extensions = Vec::new();
    for line in lines {
        let mut rest = Rest(line);
        loop {
            // RFC 9110 5.6.1: a recipient skips empty elements.
            if !rest.next_is(b',') && !rest.is_empty() {
                extensions.push(rest.extension().ok_or(MalformedExtensions)?);
            }
            if rest.is_empty() {
                break;
            }
            rest.eat(b',').ok_or(MalformedExtensions)?;
        }
    }
    Ok(extensions)
}

/// The part of a line that is not parsed yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn extension(&mut self) -> Option<Extension<'a>> {
        let mut extension = Extension { name: self.token()?, parameters: Vec::new() };
        while self.eat(b';').is_some() {
            let name = self.token()?;
            let value = match self.eat(b'=') {
                Some(()) => Some(self.value()?),
                None => None,
            };
            extension.parameters.push(Parameter { name, value });
        }
        Some(extension)
    }

    /// Reads a token, quoted or not.
    fn value(&mut self) -> Option<Cow<'a, [u8]>> {
        if self.eat(b'"').is_none() {
            return self.token().map(Cow::Borrowed);
        }
        let mut value = Vec::new();
        loop {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            match byte {
                b'"' => break,
                b'\\' => {
                    let (&escaped, rest) = self.0.split_first()?;
                    self.0 = rest;
                    value.push(escaped);
                }
                _ => value.push(byte),
            }
        }
        characters::is_token(&value).then_some(Cow::Owned(value))
    }

    fn token(&mut self) -> Option<&'a [u8]> {
        self.skip_space();
        let end = self.0.iter().position(|byte| !characters::is_token(&[*byte])).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        (!token.is_empty()).then_some(token)
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        self.skip_space();
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    fn next_is(&mut self, byte: u8) -> bool {
        self.skip_space();
        self.0.first() == Some(&byte)
    }

    fn is_empty(&mut self) -> bool {
        self.skip_space();
        self.0.is_empty()
    }

    fn skip_space(&mut self) {
        while let Some((b' ' | b'\t', rest)) = self.0.split_first() {
            self.0 = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    /// In a form without choices: `name;parameter;parameter=value`.
    fn shown(lines: &[&str]) -> Result<Vec<String>, MalformedExtensions> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.into()).unwrap();
        let parsed = parse(lines.iter().map(|line| line.as_bytes()))?;
        let one = |extension: &Extension<'_>| {
            let mut all = text(extension.name);
            for Parameter { name, value } in &extension.parameters {
                all += ";";
                all += &text(name);
                if let Some(value) = value {
                    all += "=";
                    all += &text(value);
                }
            }
            all
        };
        Ok(parsed.iter().map(one).collect())
    }

    #[test]
    fn elements_of_all_lines_in_order() {
        for (lines, expected) in [
            (&["a"][..], &["a"][..]),
            (&["a;b;c=1,  d ; e = \"f\"", ",, g,"], &["a;b;c=1", "d;e=f", "g"]),
            (&["a;b=\"\\1\\5\""], &["a;b=15"]),
            (&["", " \t", ","], &[]),
            (&["x\t;\ty"], &["x;y"]),
        ] {
            let expected: Vec<String> = expected.iter().map(|&one| one.into()).collect();
            assert_eq!(shown(lines), Ok(expected), "{lines:?}");
        }
    }

    #[test]
    fn what_has_another_form() {
        for line in [
            "a b",
            "a;",
            ";a",
            "a;;b",
            "a;b=",
            "a;=b",
            "a;b=\"",
            "a;b=\"\"",
            "a;b=\"c d\"",
            "a;b=\"c,d\"",
            "a;b=\"c\\",
            "a;b=c d",
            "a=b",
            "\"a\"",
            "a,b c",
            "a\u{e9}",
        ] {
            assert_eq!(shown(&[line]), Err(MalformedExtensions), "{line}");
        }
    }
}
