//! How much of a head has arrived, for both roles.

use alloc::boxed::Box;

use bytes::Bytes;

use super::fields::FieldLines;
use crate::http::grammar::lines::{Line, LineScan};
use crate::http::{Fields, Reading};
use crate::{Error, Exceeded, Limit, Violation};

/// How much of a head is parsed: its first line, then its field lines.
///
/// Asking again changes nothing. While a head is incomplete, each of its bytes is looked at once.
#[derive(Debug)]
pub(in crate::http) struct HeadProgress<L> {
    scan: LineScan,
    /// The first line of an incomplete head. Boxed, because an idle connection has none.
    first: Option<Box<L>>,
}

/// The largest head, and the largest first line within it.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct HeadBounds {
    pub(crate) head: usize,
    pub(crate) line: usize,
    /// The most field lines.
    pub(crate) fields: usize,
    /// What a longer first line exceeds.
    pub(crate) line_exceeds: Exceeded,
}

/// A head that has arrived completely.
#[derive(Debug)]
pub(in crate::http) struct WholeHead<L> {
    pub(in crate::http) first: L,
    /// The number of its bytes.
    pub(in crate::http) len: usize,
    /// Its field lines, if they came at once and are valid.
    lines: Option<FieldLines>,
}

impl<L: Copy> HeadProgress<L> {
    pub(crate) fn new(reading: Reading) -> Self {
        Self { scan: LineScan::new(reading), first: None }
    }

    /// The first line of an incomplete head, if it is parsed.
    pub(crate) fn first_line(&self) -> Option<L> {
        self.first.as_deref().copied()
    }

    /// Parses on. Returns the head when it is complete.
    ///
    /// `unread` begins with the head. `parse` parses the first line, which lies in the text that it is given.
    pub(in crate::http) fn advance<E: From<Violation> + From<Exceeded>>(
        &mut self,
        unread: &[u8],
        bounds: &HeadBounds,
        parse: impl Fn(&[u8], Line) -> Result<L, E>,
    ) -> Result<Option<WholeHead<L>>, E> {
        let text = unread.get(..bounds.head).unwrap_or(unread);
        let before = self.scan;
        let mut first = self.first_line();
        let found = self.scan_on(text, &mut first, bounds, parse);
        if let Ok(Some(_)) = found {
            self.scan = before;
        } else if self.first.is_none() {
            self.first = first.map(Box::new);
        }
        found
    }

    fn scan_on<E: From<Violation> + From<Exceeded>>(
        &mut self,
        text: &[u8],
        first: &mut Option<L>,
        bounds: &HeadBounds,
        parse: impl Fn(&[u8], Line) -> Result<L, E>,
    ) -> Result<Option<WholeHead<L>>, E> {
        let first = if let Some(first) = *first {
            first
        } else {
            // Checked before the line's end is searched, so that no split changes the verdict.
            let capped = text.get(..bounds.line).unwrap_or(text);
            let mut scan = self.scan;
            let Some(line) = scan.next_line(capped)? else {
                self.scan = scan;
                if capped.len() >= bounds.line {
                    return Err(bounds.line_exceeds.into());
                }
                return bounds.not_whole(text);
            };
            // A line that is refused is not passed: it is refused again.
            let parsed = parse(text, line)?;
            self.scan = scan;
            // Mostly the rest has come with it, and all is well.
            if let Some((lines, len)) = FieldLines::whole(text, line.next, bounds.fields, scan.reading()) {
                return Ok(Some(WholeHead { first: parsed, len, lines: Some(lines) }));
            }
            *first.insert(parsed)
        };
        while let Some(line) = self.scan.next_line(text)? {
            if line.is_empty() {
                return Ok(Some(WholeHead { first, len: line.next, lines: None }));
            }
        }
        bounds.not_whole(text)
    }
}

impl<L> WholeHead<L> {
    /// The fields of the head, which is `section`: from `from` on, at most `limit` lines.
    ///
    /// # Errors
    ///
    /// Returns the section with the reason.
    pub(in crate::http) fn fields(
        self,
        section: Bytes,
        from: usize,
        limit: usize,
        reading: Reading,
    ) -> Result<Fields, (Bytes, Error)> {
        match self.lines {
            Some(lines) => Ok(lines.of(section)),
            None => Fields::parse(section, from, limit, reading),
        }
    }
}

impl HeadBounds {
    /// Fails if `text`, the incomplete start of a head, is already too large.
    fn not_whole<T, E: From<Exceeded>>(&self, text: &[u8]) -> Result<Option<T>, E> {
        if text.len() >= self.head {
            return Err(Exceeded::bytes(Limit::HeadBytes, self.head).into());
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_that_is_refused_is_refused_again() {
        let line_exceeds = Exceeded::bytes(Limit::TargetBytes, 20);
        let bounds = HeadBounds { head: 100, line: 20, fields: 10, line_exceeds };
        let mut progress = HeadProgress::<usize>::new(Reading::Strict);
        for _ in 0..2 {
            let refused = progress.advance(b"bad\r\nmore than the bound of a line", &bounds, |text, line| {
                Err::<usize, Error>(
                    Violation::new("another", &text[line.start..line.end], "RFC 9112 3").into(),
                )
            });
            assert!(matches!(refused, Err(Error::Protocol(_))), "{refused:?}");
        }
    }
}
