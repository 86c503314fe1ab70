//! Counts of how connections ended, as the tables show them.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;

use endwell::core::Limit;
use endwell::ws::{End, Outcome};
use endwell::{Ended, EndedKind};

/// Ends by kind.
#[derive(Default)]
pub(crate) struct Tally(BTreeMap<&'static str, usize>);

/// What a write gets from a stream that had ended: an error that no connection here may end in.
const WRITE: &str = "errors on write";

impl Tally {
    pub(crate) fn add(&mut self, ended: &Ended) {
        let kind = match ended.kind() {
            EndedKind::ByPeer => "ended by the peer before the request was whole",
            EndedKind::WebSocket(Outcome::Closed { first: End::Ours, .. }) => "closed by us",
            EndedKind::WebSocket(Outcome::Closed { first: End::Theirs, .. }) => "closed by the peer",
            EndedKind::WebSocket(Outcome::EndOfStream) => "end of stream without Close",
            EndedKind::WebSocket(Outcome::Exceeded(exceeded)) if exceeded.limit == Limit::CloseTime => {
                "close limit"
            }
            EndedKind::Protocol(_) => "request cut short",
            EndedKind::Transport(error) => match error.kind() {
                ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => "reset by the peer",
                _ => WRITE,
            },
            other => panic!("an end that has no place here: {other:?}"),
        };
        self.count(kind);
    }

    pub(crate) fn count(&mut self, kind: &'static str) {
        *self.0.entry(kind).or_default() += 1;
    }

    pub(crate) fn of(&self, kind: &str) -> usize {
        self.0.get(kind).copied().unwrap_or_default()
    }

    /// Fails if anything was written to a stream that had ended.
    pub(crate) fn assert_no_write_errors(&self) {
        assert_eq!(self.of(WRITE), 0, "{self}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, count) in self.0.iter().filter(|(kind, _)| **kind != WRITE) {
            write!(f, "{kind} {count}, ")?;
        }
        write!(f, "{WRITE} {}", self.of(WRITE))
    }
}
