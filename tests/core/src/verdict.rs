//! One conversation from its first byte to its end, and that it is the same however the bytes were split.

use endwell_core::OutboxLimits;
use endwell_core::http::{HttpLimits, RequestHead};

use crate::client::{self, Asked, Heard};
use crate::connection::Connection;
use crate::cutter;
use crate::plan::{self, Plan};
use crate::record::{End, Record, Seen};

/// What came of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What happened.
    pub records: Vec<Record>,
    /// What was sent.
    pub output: Vec<u8>,
}

/// Feeds the pieces and then the end of the stream.
pub fn of(
    pieces: &[&[u8]],
    limits: &HttpLimits,
    handler: impl Fn(&RequestHead) -> Plan + 'static,
) -> Verdict {
    let mut connection = Connection::with(limits.clone(), OutboxLimits::default(), handler);
    let mut output = Vec::new();
    for piece in pieces {
        output.extend(connection.feed_all(piece));
    }
    connection.end();
    output.extend(connection.take(usize::MAX));
    assert!(connection.ended().is_some(), "no end: {:?}", connection.records());
    Verdict { records: connection.records().to_vec(), output }
}

/// Whole, at every two-part split and byte by byte: the verdict, which must be one and the same.
pub fn within(
    limits: &HttpLimits,
    input: &[u8],
    handler: impl Fn(&RequestHead) -> Plan + Copy + 'static,
) -> Verdict {
    let mut ways = cutter::every_way(input);
    let whole = of(&ways.next().unwrap(), limits, handler);
    for pieces in ways {
        let split = of(&pieces, limits, handler);
        assert_eq!(split, whole, "{} split after {}", input.escape_ascii(), pieces[0].len());
    }
    whole
}

/// The verdict with default limits and a given handler, under every split.
pub fn with(input: impl AsRef<[u8]>, handler: impl Fn(&RequestHead) -> Plan + Copy + 'static) -> Verdict {
    within(&HttpLimits::default(), input.as_ref(), handler)
}

/// The verdict with default limits and the handler that echoes, under every split.
pub fn echo(input: impl AsRef<[u8]>) -> Verdict {
    with(input, plan::echo)
}

/// Each row is an input, the status it is refused with, and words from the reason. Nothing of it reaches the
/// application, the refusal is a whole response that announces the close, and nothing follows it.
pub fn refuses(rows: &[(&str, u16, &str)]) {
    for (input, status, why) in rows {
        let verdict = echo(unescape(input));
        let [Record::Refused(found, reason), Record::Ended(End::Lingered)] = &verdict.records[..] else {
            panic!("{input}: {:?}", verdict.records)
        };
        assert_eq!(found, status, "{input}: {reason}");
        assert!(reason.contains(why), "{input}: {reason}");
        let asked = if input.trim_start_matches('~').starts_with("HEAD ") { Asked::HEAD } else { Asked::GET };
        let heard = verdict.heard(&[asked]);
        assert_eq!(heard.statuses(), [*status], "{input}");
        assert!(heard.announced_close() && heard.responses[0].whole, "{input}: {heard:?}");
    }
}

/// Each row is an input whose one request reaches the application.
pub fn takes(rows: &[&str]) {
    for input in rows {
        let verdict = echo(unescape(input));
        assert_eq!(verdict.requests().len(), 1, "{input}: {:?}", verdict.records);
        assert!(verdict.records.contains(&Record::Answered(200)), "{input}: {:?}", verdict.records);
    }
}

/// Rows are text in which `\xNN` stands for a byte that text cannot hold, and `~` for CRLF.
pub fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '~']) {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix('~') {
            bytes.extend_from_slice(b"\r\n");
            rest = after;
        } else {
            bytes.push(u8::from_str_radix(&rest[2..4], 16).unwrap());
            rest = &rest[4..];
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

impl Verdict {
    /// The requests that reached the application.
    pub fn requests(&self) -> Vec<&Seen> {
        let mut found = Vec::new();
        for record in &self.records {
            if let Record::Request(seen) = record {
                found.push(seen);
            }
        }
        found
    }

    /// The contents that were received whole.
    pub fn contents(&self) -> Vec<&[u8]> {
        let mut found = Vec::new();
        for record in &self.records {
            if let Record::Content(content) = record {
                found.push(&content[..]);
            }
        }
        found
    }

    /// The status and the reason, if a request was not taken.
    pub fn refused(&self) -> Option<(u16, &str)> {
        self.records.iter().find_map(|record| match record {
            Record::Refused(status, why) => Some((*status, &why[..])),
            _ => None,
        })
    }

    /// The status and the reason, if a body failed.
    pub fn failed(&self) -> Option<(u16, &str)> {
        self.records.iter().find_map(|record| match record {
            Record::BodyFailed(status, why) => Some((*status, &why[..])),
            _ => None,
        })
    }

    /// The end.
    pub fn end(&self) -> &End {
        let Some(Record::Ended(end)) = self.records.last() else { panic!("no end: {:?}", self.records) };
        end
    }

    /// The output as a strict client reads it.
    pub fn heard(&self, asked: &[Asked]) -> Heard {
        client::read(&self.output, asked)
            .unwrap_or_else(|error| panic!("{error}: {}", self.output.escape_ascii()))
    }
}
