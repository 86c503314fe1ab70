//! One exchange as a client sees it, and that it is the same however the response was split.

use endwell_core::OutboxLimits;
use endwell_core::http::Limits;

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
pub fn of(ask: &Ask, pieces: &[&[u8]], limits: &Limits) -> Hearing {
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
pub fn within(limits: &Limits, ask: &Ask, response: &[u8]) -> Hearing {
    let mut ways = cutter::every_way(response);
    let whole = of(ask, &ways.next().unwrap(), limits);
    for pieces in ways {
        let split = of(ask, &pieces, limits);
        assert_eq!(split, whole, "{} split after {}", response.escape_ascii(), pieces[0].len());
    }
    whole
}

/// With default limits, under every split. In the text `~` stands for CRLF and `\xNN` for a byte.
pub fn hear(ask: &Ask, response: &str) -> Hearing {
    within(&Limits::default(), ask, &unescape(response))
}

/// Each row is a response to GET of which nothing is taken, and words from the reason.
pub fn refuses(rows: &[(&str, &str)]) {
    for (response, why) in rows {
        let hearing = hear(&Ask::get(), response);
        let [Note::Asked, Note::Failed(reason)] = &hearing.notes[..] else {
            panic!("{response}: {:?}", hearing.notes)
        };
        assert!(reason.contains(why) && !hearing.kept, "{response}: {reason}");
    }
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
