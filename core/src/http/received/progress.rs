//! How much of a head has arrived, for both roles.

use alloc::boxed::Box;

use crate::http::Reading;
use crate::http::grammar::lines::{Line, LineScan};
use crate::{Exceeded, Limit, Violation};

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
    /// What a longer first line exceeds.
    pub(crate) line_exceeds: Exceeded,
}

impl<L: Copy> HeadProgress<L> {
    pub(crate) fn new(reading: Reading) -> Self {
        Self { scan: LineScan::new(reading), first: None }
    }

    /// The first line of an incomplete head, if it is parsed.
    pub(crate) fn first_line(&self) -> Option<L> {
        self.first.as_deref().copied()
    }

    /// Parses on. When the head is complete, returns its first line and its number of bytes.
    ///
    /// `unread` begins with the head. `parse` parses the first line, which lies in the text that it is given.
    pub(in crate::http) fn advance<E: From<Violation> + From<Exceeded>>(
        &mut self,
        unread: &[u8],
        bounds: &HeadBounds,
        parse: impl Fn(&[u8], Line) -> Result<L, E>,
    ) -> Result<Option<(L, usize)>, E> {
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
    ) -> Result<Option<(L, usize)>, E> {
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
            let line = parse(text, line)?;
            self.scan = scan;
            *first.insert(line)
        };
        while let Some(line) = self.scan.next_line(text)? {
            if line.is_empty() {
                return Ok(Some((first, line.next)));
            }
        }
        bounds.not_whole(text)
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
    use crate::Error;

    #[test]
    fn a_first_line_that_is_refused_is_refused_again() {
        let line_exceeds = Exceeded::bytes(Limit::TargetBytes, 20);
        let bounds = HeadBounds { head: 100, line: 20, line_exceeds };
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
