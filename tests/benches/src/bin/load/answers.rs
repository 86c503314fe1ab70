//! Compares what comes back.

use std::ops::Range;

use crate::requests::{GET, Request};
use crate::wire::Wire;
use crate::{Outcome, Speak};

/// The most that is read at once.
pub(crate) const READ: usize = 256 << 10;

pub(crate) enum Answers {
    /// The same bytes again and again: an answer and what a read can hold beyond it.
    Periodic { pattern: Vec<u8>, period: usize },
    /// The same bytes but for the date.
    Http { response: Vec<u8>, date: Range<usize> },
}

/// How far one connection's answers are.
#[derive(Default)]
pub(crate) struct Progress {
    /// Where in an answer.
    at: usize,
    /// The part of a response that has come.
    partial: Vec<u8>,
}

impl Answers {
    /// Asks the first connection, if it takes an answer to know the others.
    pub(crate) fn new(speak: Speak, request: &Request, wire: &mut Wire) -> Outcome<Self> {
        if speak != Speak::Http {
            let period = request.back.len();
            let pattern = request.back.iter().copied().cycle().take(period + READ).collect();
            return Ok(Self::Periodic { pattern, period });
        }
        std::io::Write::write_all(wire, GET)?;
        let mut response = wire.read_head()?;
        let text = String::from_utf8(response.clone())?.to_ascii_lowercase();
        if !text.starts_with("http/1.1 200") || !text.contains("content-length: 5\r\n") {
            return Err(format!("not the answer: {text}").into());
        }
        // RFC 9110 5.6.7: its length is fixed.
        let date = text.find("\r\ndate: ").map_or(0..0, |at| at + 8..at + 8 + 29);
        response.extend([0; 5]);
        let len = response.len();
        std::io::Read::read_exact(wire, &mut response[len - 5..])?;
        if !response.ends_with(b"hello") {
            return Err("another body".into());
        }
        Ok(Self::Http { response, date })
    }

    /// Takes what came, and counts the answers that it ends.
    pub(crate) fn take(&self, progress: &mut Progress, mut data: &[u8]) -> Outcome<usize> {
        match self {
            Self::Periodic { pattern, period } => {
                let end = progress.at + data.len();
                if data != &pattern[progress.at..end] {
                    return Err(format!("not an echo: {}", data[..data.len().min(64)].escape_ascii()).into());
                }
                progress.at = end % period;
                Ok(end / period)
            }
            Self::Http { response, date } => {
                let is_answer = |data: &[u8]| {
                    data[..date.start] == response[..date.start] && data[date.end..] == response[date.end..]
                };
                let mut answers = 0;
                if !progress.partial.is_empty() {
                    let missing = data.len().min(response.len() - progress.partial.len());
                    let (rest, later) = data.split_at(missing);
                    progress.partial.extend(rest);
                    data = later;
                    if progress.partial.len() < response.len() {
                        return Ok(0);
                    }
                    if !is_answer(&progress.partial) {
                        return Err(format!("another answer: {}", progress.partial.escape_ascii()).into());
                    }
                    progress.partial.clear();
                    answers += 1;
                }
                let whole = data.chunks_exact(response.len());
                progress.partial.extend(whole.remainder());
                answers += whole.len();
                match { whole }.find(|data| !is_answer(data)) {
                    Some(other) => Err(format!("another answer: {}", other.escape_ascii()).into()),
                    None => Ok(answers),
                }
            }
        }
    }
}
