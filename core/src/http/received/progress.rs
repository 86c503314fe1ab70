//! How much of a head has arrived, for both roles.

use crate::http::Reading;
use crate::http::grammar::lines::{Line, LineScan};
use crate::{Exceeded, Limit, Violation};

/// How much of a head is parsed: its first line, then its field lines.
///
/// Each byte is looked at once, and asking again changes nothing.
#[derive(Debug)]
pub(in crate::http) struct HeadProgress<L> {
    scan: LineScan,
    place: Place<L>,
}

#[derive(Clone, Copy, Debug)]
enum Place<L> {
    FirstLine,
    Fields(L),
    /// The number of bytes of the head.
    Whole(L, usize),
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
        Self { scan: LineScan::new(reading), place: Place::FirstLine }
    }

    /// The first line, if it is parsed.
    pub(crate) fn first_line(&self) -> Option<L> {
        match self.place {
            Place::FirstLine => None,
            Place::Fields(line) | Place::Whole(line, _) => Some(line),
        }
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
        loop {
            match self.place {
                Place::FirstLine => {
                    // Checked before the line's end is searched, so that no split changes the verdict.
                    let capped = text.get(..bounds.line).unwrap_or(text);
                    let mut scan = self.scan;
                    let found = scan.next_line(capped)?;
                    // A line that is refused is not passed: it is refused again.
                    let first = found.map(|line| parse(text, line)).transpose()?;
                    self.scan = scan;
                    match first {
                        Some(first) => self.place = Place::Fields(first),
                        None if capped.len() >= bounds.line => return Err(bounds.line_exceeds.into()),
                        None => return bounds.not_whole(text),
                    }
                }
                Place::Fields(first) => match self.scan.next_line(text)? {
                    Some(line) if line.is_empty() => self.place = Place::Whole(first, line.next),
                    Some(_) => {}
                    None => return bounds.not_whole(text),
                },
                Place::Whole(first, len) => return Ok(Some((first, len))),
            }
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
