//! Finds the end of a head or of a trailer section, and looks at each byte once, however the bytes arrive.

use super::characters;
use crate::Violation;
use crate::http::Reading;

/// How far a section was scanned, line by line.
///
/// Each byte is looked at once. The result depends only on the bytes before it, never on how they were split: the lines
/// are judged in order.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct LineScan {
    looked_at: usize,
    line: usize,
    reading: Reading,
}

/// A line, without its line end.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Line {
    pub(in crate::http) start: usize,
    pub(in crate::http) end: usize,
    /// Where the next line starts.
    pub(in crate::http) next: usize,
}

impl Line {
    pub(in crate::http) fn is_empty(self) -> bool {
        self.start == self.end
    }
}

impl LineScan {
    pub(in crate::http) fn new(reading: Reading) -> Self {
        Self { looked_at: 0, line: 0, reading }
    }

    /// Returns the next line of `text`. The bytes that were passed before must be unchanged.
    pub(in crate::http) fn next_line(&mut self, text: &[u8]) -> Result<Option<Line>, Violation> {
        let Some(found) = text.get(self.looked_at..).and_then(|rest| characters::find(b'\n', rest)) else {
            self.looked_at = text.len();
            return Ok(None);
        };
        let line_feed = self.looked_at + found;
        let line = text.get(self.line..line_feed).unwrap_or_default();
        let content = match (line.strip_suffix(b"\r"), self.reading) {
            (Some(content), _) => content,
            (None, Reading::Ordinary) => line,
            // RFC 9112 2.2 lets a recipient accept a bare LF as a line end. Two recipients that differ in this see two
            // different messages.
            (None, Reading::Strict) => {
                return Err(Violation::new("CRLF as the line end", line, "RFC 9112 2.2"));
            }
        };
        let start = self.line;
        self.line = line_feed + 1;
        self.looked_at = self.line;
        Ok(Some(Line { start, end: start + content.len(), next: self.line }))
    }

    pub(in crate::http) fn reading(&self) -> Reading {
        self.reading
    }
}
