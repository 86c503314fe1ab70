//! Waits for the head of a response to any kind of request.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::time::Duration;

use super::failure::Failure;
use crate::http::grammar::lines::LineScan;
use crate::http::grammar::reading::Reader;
use crate::http::received::response::{AnyHead, StatusLine};
use crate::http::{Fields, InterimResponse, Limits, ResponseHead};
use crate::{Deadline, Exceeded, Inbox, Instant, Limit, Violation};

/// A connection with a request in flight, on which no final response has begun.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(super) inbox: Box<Inbox>,
    pub(super) limits: Arc<Limits>,
    progress: HeadProgress,
    stage: Stage,
    expectation: Expectation,
    interim: usize,
    since: Option<Instant>,
    response_time: Option<Duration>,
}

/// How much of a head is parsed.
#[derive(Debug)]
enum HeadProgress {
    /// Bytes had come before the request, so no response can be told from them.
    Unasked(Violation),
    StatusLine(LineScan),
    Fields(LineScan, StatusLine),
}

impl HeadProgress {
    /// Before a head.
    fn new(limits: &Limits) -> Self {
        Self::StatusLine(LineScan::new(limits.reading_of(Reader::Client)))
    }
}

/// What the client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The first byte of a head.
    FirstByte,
    /// The rest of a head.
    Head,
}

/// Whether a body waits for the server to ask for it. RFC 9110 10.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expectation {
    None,
    Open,
    /// The request has no content, so it carries no expectation.
    Moot,
}

/// What has arrived, or is no longer waited for.
pub(crate) enum Arrived {
    /// The server asked for the body, or its time to ask has passed.
    Continue,
    /// An interim response.
    Interim(InterimResponse),
    /// The head of the final response. Its body comes next.
    Final(ResponseHead),
}

impl Waiting {
    /// `inbox` is as it was when the request was written.
    pub(super) fn new(mut inbox: Box<Inbox>, limits: Arc<Limits>, expectation: Expectation) -> Self {
        inbox.forget_silence();
        let progress = match inbox.unread() {
            [] => HeadProgress::new(&limits),
            got => HeadProgress::Unasked(super::between::unasked(got)),
        };
        let stage = Stage::FirstByte;
        let response_time = limits.response_time;
        Self { inbox, limits, progress, stage, expectation, interim: 0, since: None, response_time }
    }

    pub(crate) fn inbox(&mut self) -> &mut Inbox {
        &mut self.inbox
    }

    /// The bytes after the response, for another protocol.
    pub(crate) fn into_inbox(self) -> Box<Inbox> {
        self.inbox
    }

    pub(crate) fn poll(&mut self) -> Result<Option<Arrived>, Failure> {
        if self.expectation == Expectation::Moot {
            self.expectation = Expectation::None;
            return Ok(Some(Arrived::Continue));
        }
        match self.advance()? {
            Some((line, end)) => self.arrived(line, end).map(Some),
            None if self.inbox.has_ended() => Err(self.cut_off()),
            None => self.wait(),
        }
    }

    pub(crate) fn deadline(&self) -> Option<Deadline> {
        let (time, reason) = self.time_limit();
        self.since.zip(time).map(|(since, time)| Deadline { at: since.saturating_add(time), reason })
    }

    /// True if no byte has arrived since the request.
    pub(crate) fn is_untouched(&self) -> bool {
        self.interim == 0 && self.inbox.is_empty()
    }

    /// Notes that the caller does not wait for the server: silence counts from the next look at the stream.
    pub(crate) fn pause(&mut self) {
        // A head that has begun must be completed in time, paused or not.
        if self.stage == Stage::FirstByte {
            self.since = None;
            self.inbox.forget_silence();
        }
    }

    pub(crate) fn set_response_time(&mut self, time: Option<Duration>) {
        self.response_time = time;
    }

    fn time_limit(&self) -> (Option<Duration>, Limit) {
        match (self.stage, self.expectation) {
            (Stage::Head, _) => (Some(self.limits.head_time), Limit::HeadTime),
            (Stage::FirstByte, Expectation::Open) => (Some(self.limits.continue_time), Limit::ContinueTime),
            (Stage::FirstByte, Expectation::None | Expectation::Moot) => {
                (self.response_time, Limit::ResponseTime)
            }
        }
    }

    fn wait(&mut self) -> Result<Option<Arrived>, Failure> {
        if self.stage == Stage::FirstByte && !self.inbox.is_empty() {
            self.stage = Stage::Head;
            self.since = None;
        }
        let Some(now) = self.inbox.dry_at() else { return Ok(None) };
        let since = *self.since.get_or_insert(now);
        let (Some(time), limit) = self.time_limit() else { return Ok(None) };
        if now < since.saturating_add(time) {
            return Ok(None);
        }
        if limit == Limit::ContinueTime {
            self.expectation = Expectation::None;
            self.since = Some(now);
            return Ok(Some(Arrived::Continue));
        }
        Err(Exceeded::time(limit, time).into())
    }

    /// Parses more of the head. When the head is complete, returns its status line and its end.
    fn advance(&mut self) -> Result<Option<(StatusLine, usize)>, Failure> {
        let bound = self.limits.head(Reader::Client);
        let unread = self.inbox.unread();
        let text = unread.get(..bound).unwrap_or(unread);
        loop {
            let line = match &mut self.progress {
                HeadProgress::Unasked(violation) => return Err(violation.clone().into()),
                HeadProgress::StatusLine(scan) | HeadProgress::Fields(scan, _) => scan.next_line(text)?,
            };
            let Some(line) = line else {
                if text.len() >= bound {
                    return Err(Exceeded::bytes(Limit::HeadBytes, bound).into());
                }
                return Ok(None);
            };
            match &self.progress {
                HeadProgress::StatusLine(scan) => {
                    let reading = self.limits.reading_of(Reader::Client);
                    let parsed = StatusLine::parse(text, line, reading)?;
                    self.progress = HeadProgress::Fields(*scan, parsed);
                }
                HeadProgress::Fields(_, status) if line.is_empty() => {
                    return Ok(Some((*status, line.next)));
                }
                HeadProgress::Fields(..) | HeadProgress::Unasked(_) => {}
            }
        }
    }

    fn arrived(&mut self, line: StatusLine, end: usize) -> Result<Arrived, Failure> {
        let text = self.inbox.payload(end).take();
        let (lines, reading) =
            (self.limits.fields_of(Reader::Client), self.limits.reading_of(Reader::Client));
        let fields = Fields::parse(text.clone(), line.end(), lines, reading).map_err(|(_, error)| error)?;
        let head = match AnyHead::new(text, line, fields) {
            AnyHead::Final(head) => return Ok(Arrived::Final(head)),
            AnyHead::Interim(head) => head,
        };
        self.interim += 1;
        if self.interim > self.limits.interim_responses {
            return Err(Exceeded::count(Limit::InterimCount, self.limits.interim_responses).into());
        }
        self.progress = HeadProgress::new(&self.limits);
        self.stage = Stage::FirstByte;
        self.since = None;
        self.inbox.forget_silence();
        if head.status() == 100 && self.expectation == Expectation::Open {
            self.expectation = Expectation::None;
            return Ok(Arrived::Continue);
        }
        Ok(Arrived::Interim(head))
    }

    fn cut_off(&self) -> Failure {
        if self.is_untouched() {
            return Failure::Unanswered;
        }
        let expected = if self.inbox.is_empty() {
            "a final response behind the interim ones"
        } else {
            "a whole head before the end of the stream"
        };
        Violation::new(expected, self.inbox.unread(), "RFC 9112 8").into()
    }
}
