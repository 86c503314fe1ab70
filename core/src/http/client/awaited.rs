//! A response as it arrives: its heads, then its body.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::time::Duration;

use super::failure::Failure;
use super::idle::unasked;
use super::terms::Terms;
use crate::http::grammar::reading::Reader;
use crate::http::received::body::Incoming;
use crate::http::received::length::{BodyLength, Framed};
use crate::http::received::persistence::Persistence;
use crate::http::received::progress::{HeadBounds, HeadProgress, WholeHead};
use crate::http::received::response::{AnyHead, StatusLine};
use crate::http::{HttpLimits, InterimHead, ResponseHead};
use crate::io::{Ask, Conn, Waits};
use crate::since::SinceArrival;
use crate::{Bound, Deadline, Exceeded, Inbox, Instant, Limit, Violation};

/// The response to the request that is open.
#[derive(Debug)]
pub(crate) struct Awaited {
    pub(super) limits: Arc<HttpLimits>,
    progress: HeadProgress<StatusLine>,
    state: State,
    stage: Stage,
    upload: Upload,
    interims: usize,
    since: SinceArrival,
    answer_time: Option<Duration>,
    terms: Terms,
    /// The last interim head that was handed out.
    pub(super) interim: Option<Box<InterimHead>>,
    pub(super) head: Option<Box<ResponseHead>>,
    pub(super) announced: Option<u64>,
    persistence: Persistence,
    pub(super) body: Incoming,
}

#[derive(Debug)]
enum State {
    /// Before the final head.
    Head,
    /// In the body.
    Body,
    Failed(Box<Failure>),
}

/// What the client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The first byte of a head.
    FirstByte,
    /// The rest of a head.
    Head,
}

/// What becomes of the body of the request. It decides how long the server may take for its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upload {
    /// It waits for the server to ask for it. RFC 9110 10.1.1.
    Withheld,
    /// It would be withheld, but is empty, so the request carries no expectation.
    Empty,
    /// It is being written: the server need not respond before its end.
    Underway,
    /// Nothing more of it is written before the server responds, unless the caller decides so.
    Over,
}

/// A head that has arrived, or what is no longer waited for.
#[derive(Debug)]
pub(crate) enum Arrived {
    /// The server asked for the body, or its time to ask has passed.
    Continue,
    Interim(Box<InterimHead>),
    /// The final head. Its body comes next.
    Final,
}

impl Awaited {
    /// No request was sent yet.
    pub(super) fn new(inbox: &mut Inbox, limits: Arc<HttpLimits>) -> Self {
        let body = Incoming::new(inbox, Arc::clone(&limits), Reader::Client, BodyLength::Known(0));
        Self {
            progress: HeadProgress::new(limits.reading_of(Reader::Client)),
            state: State::Head,
            stage: Stage::FirstByte,
            upload: Upload::Over,
            interims: 0,
            since: SinceArrival::default(),
            answer_time: limits.response_time,
            terms: Terms::UPGRADE,
            interim: None,
            head: None,
            announced: None,
            persistence: Persistence::Keep,
            body,
            limits,
        }
    }

    /// A request is written: expects its response. `inbox` is as it was when the request was written.
    pub(super) fn expect(&mut self, inbox: &mut Inbox, terms: Terms, upload: Upload) {
        inbox.forget_silence();
        let state = match inbox.unread() {
            [] => State::Head,
            got => State::Failed(Box::new(unasked(got).into())),
        };
        let limits = Arc::clone(&self.limits);
        *self = Self { state, upload, terms, ..Self::new(inbox, limits) };
    }

    /// The time for the response begins anew.
    pub(super) fn set_upload(&mut self, upload: Upload) {
        self.upload = upload;
        if self.stage == Stage::FirstByte {
            self.since.restart();
        }
    }

    /// The next head, if it has arrived completely. Not called once the final head has arrived.
    pub(crate) fn poll_head(&mut self, inbox: &mut Inbox) -> Result<Option<Arrived>, Failure> {
        if let State::Failed(failure) = &self.state {
            return Err(Failure::clone(failure));
        }
        let arrived = self.advance(inbox);
        if let Err(failure) = &arrived {
            self.state = State::Failed(Box::new(failure.clone()));
        }
        arrived
    }

    fn advance(&mut self, inbox: &mut Inbox) -> Result<Option<Arrived>, Failure> {
        if self.upload == Upload::Empty {
            self.upload = Upload::Over;
            return Ok(Some(Arrived::Continue));
        }
        let head = self.limits.head(Reader::Client);
        let fields = self.limits.fields_of(Reader::Client);
        let line_exceeds = Exceeded::bytes(Limit::HeadBytes, head);
        let bounds = HeadBounds { head, line: head, fields, line_exceeds };
        let reading = self.limits.reading_of(Reader::Client);
        let parse = |text: &[u8], line| StatusLine::parse(text, line, reading).map_err(Failure::from);
        match self.progress.advance(inbox.unread(), &bounds, parse)? {
            Some(head) => self.arrived(inbox, head).map(Some),
            None if inbox.has_ended() => Err(self.cut_off(inbox)),
            None => self.late(inbox),
        }
    }

    fn arrived(&mut self, inbox: &mut Inbox, head: WholeHead<StatusLine>) -> Result<Arrived, Failure> {
        let line = head.first;
        let text = inbox.payload(head.len).take();
        let (lines, reading) =
            (self.limits.fields_of(Reader::Client), self.limits.reading_of(Reader::Client));
        let fields = head.fields(text.clone(), line.end(), lines, reading).map_err(|(_, error)| error)?;
        let head = match AnyHead::new(text, line, fields) {
            AnyHead::Final(head) => {
                self.head = Some(Box::new(head));
                return Ok(Arrived::Final);
            }
            AnyHead::Interim(head) => head,
        };
        self.interims += 1;
        if self.interims > self.limits.interim_responses {
            return Err(Exceeded::count(Limit::InterimCount, self.limits.interim_responses).into());
        }
        self.progress = HeadProgress::new(reading);
        self.stage = Stage::FirstByte;
        self.since.restart();
        inbox.forget_silence();
        if head.status() == 100 && self.upload == Upload::Withheld {
            self.upload = Upload::Over;
            return Ok(Arrived::Continue);
        }
        Ok(Arrived::Interim(Box::new(head)))
    }

    /// Goes on with the body of the final head.
    pub(crate) fn begin_body(&mut self, inbox: &mut Inbox) -> Result<(), Failure> {
        let begun = self.body_of_head(inbox);
        self.state = match &begun {
            Ok(()) => State::Body,
            Err(failure) => State::Failed(Box::new(failure.clone())),
        };
        begun
    }

    fn body_of_head(&mut self, inbox: &mut Inbox) -> Result<(), Failure> {
        let Some(head) = self.head.as_deref() else { return Ok(()) };
        let (status, fields, version) = (head.status(), head.fields(), head.version());
        let reading = self.limits.reading_of(Reader::Client);
        let Framed { length, announced, persistence } =
            Framed::of_response(self.terms.asked(), status, fields, version, reading)?;
        if matches!(length, BodyLength::Known(length) if length > self.limits.body_bytes) {
            let bound = Bound::Bytes(self.limits.body_bytes);
            return Err(Exceeded { limit: Limit::BodyBytes, bound }.into());
        }
        self.persistence = match (self.terms.persistence(), persistence) {
            (Persistence::Keep, Persistence::Keep) => Persistence::of(version, fields),
            (Persistence::Close, _) | (_, Persistence::Close) => Persistence::Close,
        };
        self.announced = announced;
        self.body = Incoming::new(inbox, Arc::clone(&self.limits), Reader::Client, length);
        Ok(())
    }

    /// The caller waits no longer for the rest: nothing more can be understood.
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.state = State::Failed(Box::new(failure));
    }

    /// True if the final head says success.
    pub(super) fn is_success(&self) -> bool {
        self.head.as_deref().is_some_and(|head| head.status().is_success())
    }

    pub(super) fn failure(&self) -> Option<&Failure> {
        match &self.state {
            State::Failed(failure) => Some(failure),
            State::Head | State::Body => None,
        }
    }

    /// True if the final head was found, and its body comes next.
    pub(super) fn is_in_body(&self) -> bool {
        matches!(self.state, State::Body)
    }

    /// True if no byte has arrived since the request.
    pub(crate) fn is_untouched(&self, inbox: &Inbox) -> bool {
        match &self.state {
            State::Head => self.interims == 0 && inbox.is_empty(),
            State::Failed(failure) => **failure == Failure::Unanswered,
            State::Body => false,
        }
    }

    /// True if no further request can follow, whatever comes.
    pub(super) fn is_last(&self) -> bool {
        match self.state {
            State::Head => false,
            State::Body => {
                self.persistence == Persistence::Close || self.body.is_until_close() || self.body.has_failed()
            }
            State::Failed(_) => true,
        }
    }

    pub(crate) fn set_response_time(&mut self, time: Option<Duration>) {
        self.answer_time = time;
    }

    fn time_limit(&self) -> (Option<Duration>, Limit) {
        match (self.stage, self.upload) {
            (Stage::Head, _) => (Some(self.limits.head_time), Limit::HeadTime),
            (Stage::FirstByte, Upload::Withheld) => (Some(self.limits.continue_time), Limit::ContinueTime),
            (Stage::FirstByte, Upload::Underway) => (None, Limit::ResponseTime),
            (Stage::FirstByte, Upload::Empty | Upload::Over) => (self.answer_time, Limit::ResponseTime),
        }
    }

    /// Tells if the time of what is waited for is over.
    fn late(&mut self, inbox: &Inbox) -> Result<Option<Arrived>, Failure> {
        match self.time_limit() {
            (Some(time), limit) if self.since.is_met(inbox.dry_at(), time) => {
                if limit != Limit::ContinueTime {
                    return Err(Exceeded::time(limit, time).into());
                }
                self.set_upload(Upload::Over);
                Ok(Some(Arrived::Continue))
            }
            (Some(_) | None, _) => Ok(None),
        }
    }

    fn cut_off(&self, inbox: &Inbox) -> Failure {
        if self.is_untouched(inbox) {
            return Failure::Unanswered;
        }
        let expected = if inbox.is_empty() {
            "a final response behind the interim ones"
        } else {
            "a whole head before the end of the stream"
        };
        Violation::new(expected, inbox.unread(), crate::error::INCOMPLETE).into()
    }
}

impl Waits for Awaited {
    fn found_nothing(&mut self, conn: &mut Conn, now: Instant, ask: Ask<'_>) -> bool {
        match self.state {
            State::Failed(_) => return false,
            State::Body => return Waits::found_nothing(&mut self.body, conn, now, ask),
            State::Head => {}
        }
        if self.stage == Stage::FirstByte && !conn.inbox.is_empty() {
            self.stage = Stage::Head;
            // A head that has begun must be completed in time. Before, the server may not have got the request.
            self.since.restart_arrived();
        }
        if self.stage == Stage::FirstByte && self.upload == Upload::Underway {
            self.since.restart();
            return false;
        }
        let (Some(time), _) = self.time_limit() else { return false };
        self.since.is_over(conn, now, time, ask)
    }

    fn pause(&mut self, conn: &mut Conn, now: Instant) {
        match self.state {
            State::Body => self.body.pause(&mut conn.inbox, now),
            State::Head if self.stage == Stage::FirstByte => {
                self.since.restart();
                conn.inbox.forget_silence();
            }
            State::Head | State::Failed(_) => {}
        }
    }

    fn deadline(&self, _: &Conn) -> Option<Deadline> {
        match self.state {
            State::Failed(_) => None,
            State::Body => self.body.deadline(),
            State::Head => {
                let (time, reason) = self.time_limit();
                self.since.end(time?).map(|at| Deadline { at, reason })
            }
        }
    }
}
