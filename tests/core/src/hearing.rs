//! One exchange as a client sees it, and that it is the same however the response was split.

use endwell_core::OutboxLimits;
use endwell_core::http::{HttpLimits, Reading};

use crate::asking::{Ask, Asking, Note, Until};
use crate::cutter;
use crate::verdict::unescape;

/// What came of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hearing {
    /// What happened.
    pub notes: Vec<Note>,
    /// Whether another request could have been sent when all had arrived.
    pub kept: bool,
    /// What was sent.
    pub output: Vec<u8>,
}

/// Sends one request, feeds the pieces of the response and then the end of the stream.
pub fn of(ask: &Ask, pieces: &[&[u8]], limits: &HttpLimits) -> Hearing {
    let mut asking = Asking::with(limits.clone(), OutboxLimits::default(), std::slice::from_ref(ask));
    let mut output = asking.take(usize::MAX);
    for piece in pieces {
        asking.feed(piece);
        output.extend(asking.take(usize::MAX));
    }
    let kept = asking.is_kept();
    asking.end();
    output.extend(asking.take(usize::MAX));
    assert!(asking.is_over(), "no end: {:?}", asking.notes());
    Hearing { notes: asking.notes().to_vec(), kept, output }
}

/// Whole, at every two-part split and byte by byte: what came of it, which must be one and the same.
pub fn within(limits: &HttpLimits, ask: &Ask, response: &[u8]) -> Hearing {
    let mut ways = cutter::every_way(response);
    let whole = of(ask, &ways.next().unwrap(), limits);
    for pieces in ways {
        let split = of(ask, &pieces, limits);
        assert_eq!(split, whole, "{} split after {}", response.escape_ascii(), pieces[0].len());
    }
    whole
}

/// With default limits, under every split. In the text `~` stands for CRLF and `\xNN` for a byte. Whatever a strict reader
/// takes of it is heard alike.
pub fn hear(ask: &Ask, response: &str) -> Hearing {
    let response = unescape(response);
    let strict = within(&reading(Reading::Strict), ask, &response);
    let ordinary = within(&reading(Reading::Ordinary), ask, &response);
    assert_eq!(alike(&strict, &ordinary), Ok(()), "{}", response.escape_ascii());
    ordinary
}

/// As [`hear`], by a strict reader.
pub fn hear_strictly(ask: &Ask, response: &str) -> Hearing {
    within(&reading(Reading::Strict), ask, &unescape(response))
}

/// Default limits for a reader of this kind.
pub fn reading(reading: Reading) -> HttpLimits {
    let mut limits = HttpLimits::default();
    limits.reading = reading;
    limits
}

/// Each row is a response to GET of which nothing is taken by either reading, and words from the reason.
pub fn refuses(rows: &[(&str, &str)]) {
    for (response, why) in rows {
        refused(&hear(&Ask::get(), response), why);
        refuses_strictly(response, why);
    }
}

/// A response to GET of which a strict reader takes nothing, and words from the reason.
pub fn refuses_strictly(response: &str, why: &str) {
    refused(&hear_strictly(&Ask::get(), response), why);
}

/// Nothing was taken of it, for this reason.
pub fn refused(hearing: &Hearing, why: &str) {
    let [Note::Asked, Note::Failed(reason)] = &hearing.notes[..] else {
        panic!("{why}: {:?}", hearing.notes)
    };
    assert!(reason.contains(why) && !hearing.kept, "{reason}, not {why}");
}

/// Whatever a strict reader takes, an ordinary one reads alike: all of it, or all up to the failure.
///
/// # Errors
///
/// What was heard that differs.
pub fn alike(strict: &Hearing, ordinary: &Hearing) -> Result<(), String> {
    let same = match strict.notes.split_last() {
        Some((Note::Failed(_), before)) => ordinary.notes.starts_with(before),
        Some((Note::BodyFailed(came, _), before)) => {
            let goes_on = match ordinary.notes.last() {
                Some(Note::BodyFailed(content, _) | Note::Content(content, _)) => content.starts_with(came),
                _ => false,
            };
            goes_on && ordinary.notes.starts_with(before)
        }
        _ => strict == ordinary,
    };
    if same { Ok(()) } else { Err(format!("strictly {strict:?}, ordinarily {ordinary:?}")) }
}

impl Hearing {
    /// The status of the final response.
    pub fn status(&self) -> Option<u16> {
        self.notes.iter().find_map(|note| match note {
            Note::Head(status, ..) => Some(*status),
            _ => None,
        })
    }

    /// The content, if all of it came, and what ended it.
    pub fn content(&self) -> Option<(&[u8], Until)> {
        self.notes.iter().find_map(|note| match note {
            Note::Content(content, until) => Some((&content[..], *until)),
            _ => None,
        })
    }

    /// What came of a body that failed, and the error in words.
    pub fn failed(&self) -> Option<(&[u8], &str)> {
        self.notes.iter().find_map(|note| match note {
            Note::BodyFailed(content, why) => Some((&content[..], &why[..])),
            _ => None,
        })
    }

    /// What was sent.
    pub fn sent(&self) -> &str {
        core::str::from_utf8(&self.output).unwrap()
    }
}
