//! Receives the body of a message, for both roles.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::chunked;
use super::chunked::Chunked;
use super::length::BodyLength;
use crate::http::grammar::reading::Reader;
use crate::http::{Fields, HttpLimits};
use crate::time::Clock;
use crate::{Bound, Deadline, Error, Exceeded, Inbox, Instant, Limit, Pace, Violation, convert};

/// The rest of a message that is being received.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) limits: Arc<HttpLimits>,
    reader: Reader,
    /// `None` without content. Boxed, because an idle connection has none.
    content: Option<Box<Content>>,
}

/// The content of a message.
#[derive(Debug)]
struct Content {
    state: Receiving,
    clock: Clock,
    /// Overrides the pace of the limits.
    pace: Option<Box<Pace>>,
    /// The bytes that have left the inbox.
    received: u64,
    /// What was found and not handed out.
    found: Option<Kind>,
    /// The trailer section that was handed out.
    trailers: Option<Box<Fields>>,
}

#[derive(Debug)]
enum Receiving {
    Known {
        length: u64,
    },
    Chunked(Chunked),
    /// Only in a response.
    UntilClose,
    /// The bytes after this point cannot be parsed.
    Failed(Error),
}

#[derive(Debug)]
enum Kind {
    Data(usize),
    Trailers(Box<Fields>),
    End,
}

/// What [`Incoming::take`] returns.
pub(in crate::http) enum Found<'a> {
    /// This many bytes of content.
    Data(usize),
    Trailers(&'a Fields),
    End,
    Failed(&'a Error),
}

impl Incoming {
    pub(in crate::http) fn new(
        inbox: &mut Inbox,
        limits: Arc<HttpLimits>,
        reader: Reader,
        length: BodyLength,
    ) -> Self {
        let mut incoming = Self { limits, reader, content: None };
        incoming.begin(inbox, length);
        incoming
    }

    /// Begins to receive the content of the next message.
    pub(in crate::http) fn begin(&mut self, inbox: &mut Inbox, length: BodyLength) {
        let state = match length {
            BodyLength::Known(0) => None,
            BodyLength::Known(length) => Some(Receiving::Known { length }),
            BodyLength::Chunked => Some(Receiving::Chunked(Chunked::new())),
            BodyLength::UntilClose => Some(Receiving::UntilClose),
        };
        inbox.forget_silence();
        self.content = state.map(|state| Box::new(Content::new(state)));
    }

    /// True if something was found that [`take`](Self::take) returns.
    pub(crate) fn is_ready(&mut self, inbox: &mut Inbox) -> bool {
        let Self { limits, reader, content } = self;
        content.as_mut().is_none_or(|content| content.is_ready(inbox, limits, *reader))
    }

    /// Takes what was found. Data is consumed by the caller.
    pub(in crate::http) fn take(&mut self, inbox: &mut Inbox) -> Option<Found<'_>> {
        let Self { limits, reader, content } = self;
        let Some(content) = content else { return Some(Found::End) };
        content.is_ready(inbox, limits, *reader).then(|| content.take())
    }

    pub(in crate::http) fn pause(&mut self, inbox: &mut Inbox, now: Instant) {
        if let Some(content) = &mut self.content {
            content.clock.pause(now);
        }
        inbox.forget_silence();
    }

    pub(in crate::http) fn deadline(&self) -> Option<Deadline> {
        let content = self.content.as_ref()?;
        content.clock.deadline(content.pace(&self.limits, self.reader), Limit::BodyProgress)
    }

    pub(in crate::http) fn set_pace(&mut self, pace: Pace) {
        if let Some(content) = &mut self.content {
            content.pace = Some(pace.into());
        }
    }

    pub(in crate::http) fn is_done(&self, inbox: &Inbox) -> bool {
        self.content.as_ref().is_none_or(|content| content.is_done(inbox))
    }

    /// Forgets the content, if it was received.
    pub(in crate::http) fn forget(&mut self, inbox: &Inbox) {
        self.content = self.content.take().filter(|content| !content.is_done(inbox));
    }

    /// Discards what has arrived. If that breaks the protocol or a limit, the body has failed.
    pub(crate) fn discard(&mut self, inbox: &mut Inbox) {
        loop {
            match self.take(inbox) {
                Some(Found::Data(len)) => inbox.consume(len),
                Some(Found::Trailers(_)) => {}
                Some(Found::End | Found::Failed(_)) | None => return,
            }
        }
    }

    /// True if the message has content, received or not.
    pub(in crate::http) fn has_content(&self) -> bool {
        self.content.is_some()
    }

    /// The bytes of content that were taken or discarded so far.
    pub(in crate::http) fn received(&self) -> u64 {
        self.content.as_ref().map_or(0, |content| content.received)
    }

    pub(in crate::http) fn remaining(&self, inbox: &Inbox) -> Option<u64> {
        self.content.as_ref().map_or(Some(0), |content| content.remaining(inbox))
    }

    pub(in crate::http) fn has_failed(&self) -> bool {
        matches!(self.state(), Some(Receiving::Failed(_)))
    }

    /// True if only the close ends the body.
    pub(in crate::http) fn is_until_close(&self) -> bool {
        matches!(self.state(), Some(Receiving::UntilClose))
    }

    /// True if no byte of the body has arrived: a peer that expects 100 Continue still waits.
    pub(in crate::http) fn is_untouched(&self, inbox: &Inbox) -> bool {
        inbox.is_empty()
            && match self.state() {
                None => true,
                Some(Receiving::Known { .. } | Receiving::UntilClose) => self.received() == 0,
                Some(Receiving::Chunked(chunked)) => chunked.is_untouched(),
                Some(Receiving::Failed(_)) => false,
            }
    }

    fn state(&self) -> Option<&Receiving> {
        self.content.as_ref().map(|content| &content.state)
    }
}

impl Content {
    fn new(state: Receiving) -> Self {
        Self { state, clock: Clock::default(), pace: None, received: 0, found: None, trailers: None }
    }

    fn is_ready(&mut self, inbox: &mut Inbox, limits: &HttpLimits, reader: Reader) -> bool {
        if let None | Some(Kind::End) = self.found {
            match self.next(inbox, limits, reader) {
                Ok(found) => self.found = found,
                Err(error) => {
                    self.state = Receiving::Failed(error);
                    return true;
                }
            }
        }
        self.found.is_some()
    }

    fn take(&mut self) -> Found<'_> {
        match self.found.take() {
            Some(Kind::Data(len)) => {
                self.consumed(len);
                return Found::Data(len);
            }
            Some(Kind::Trailers(fields)) => return Found::Trailers(self.trailers.insert(fields)),
            Some(Kind::End) | None => {}
        }
        match &self.state {
            Receiving::Failed(error) => Found::Failed(error),
            Receiving::Known { .. } | Receiving::Chunked(_) | Receiving::UntilClose => Found::End,
        }
    }

    /// Notes that the next `len` bytes of content leave the inbox.
    fn consumed(&mut self, len: usize) {
        self.received = self.received.saturating_add(convert::u64_from(len));
        if let Receiving::Chunked(chunked) = &mut self.state {
            chunked.consumed(len);
        }
        self.clock.add(len);
    }

    fn pace<'a>(&'a self, limits: &'a HttpLimits, reader: Reader) -> &'a Pace {
        self.pace.as_deref().unwrap_or(match reader {
            Reader::Server => &limits.request_pace,
            Reader::Client => &limits.response_pace,
        })
    }

    fn is_done(&self, inbox: &Inbox) -> bool {
        match &self.state {
            Receiving::Known { length } => self.received == *length,
            // Trailers that were found are still to be handed out.
            Receiving::Chunked(chunked) => {
                chunked.is_done() && !matches!(self.found, Some(Kind::Trailers(_)))
            }
            Receiving::UntilClose => inbox.has_ended() && inbox.is_empty(),
            Receiving::Failed(_) => false,
        }
    }

    fn remaining(&self, inbox: &Inbox) -> Option<u64> {
        match &self.state {
            Receiving::Known { length } => Some(length.saturating_sub(self.received)),
            Receiving::Chunked(chunked) => chunked.is_done().then_some(0),
            Receiving::UntilClose => self.is_done(inbox).then_some(0),
            Receiving::Failed(_) => None,
        }
    }

    fn next(
        &mut self,
        inbox: &mut Inbox,
        limits: &HttpLimits,
        reader: Reader,
    ) -> Result<Option<Kind>, Error> {
        let found = match &mut self.state {
            Receiving::Known { length } if self.received == *length => Some(Kind::End),
            Receiving::Chunked(chunked) => {
                let before = inbox.len();
                let found = chunked.poll(inbox, limits, reader)?;
                self.clock.add(before.saturating_sub(inbox.len()));
                match found {
                    chunked::Found::Data(len) => Some(Kind::Data(len)),
                    chunked::Found::Trailers(fields) => Some(Kind::Trailers(fields.into())),
                    chunked::Found::End => Some(Kind::End),
                    chunked::Found::Nothing => None,
                }
            }
            Receiving::UntilClose if inbox.is_empty() => inbox.has_ended().then_some(Kind::End),
            Receiving::UntilClose if self.received == limits.body_bytes => {
                let bound = Bound::Bytes(limits.body_bytes);
                return Err(Exceeded { limit: Limit::BodyBytes, bound }.into());
            }
            Receiving::Known { .. } | Receiving::UntilClose => self.data(inbox, limits),
            Receiving::Failed(error) => return Err(error.clone()),
        };
        if found.is_none() {
            self.wait(inbox, limits, reader)?;
        }
        Ok(found)
    }

    /// The content that has arrived and comes next.
    fn data(&self, inbox: &Inbox, limits: &HttpLimits) -> Option<Kind> {
        let bound = match &self.state {
            Receiving::Known { length } => length.saturating_sub(self.received),
            Receiving::Chunked(chunked) => chunked.data_remaining(),
            Receiving::UntilClose => limits.body_bytes.saturating_sub(self.received),
            Receiving::Failed(_) => 0,
        };
        let len = inbox.len().min(convert::usize_from(bound));
        (len > 0).then_some(Kind::Data(len))
    }

    fn wait(&mut self, inbox: &Inbox, limits: &HttpLimits, reader: Reader) -> Result<(), Error> {
        if inbox.has_ended() {
            return Err(self.truncated().into());
        }
        let Some(now) = inbox.dry_at() else { return Ok(()) };
        let pace = *self.pace(limits, reader);
        Ok(self.clock.check(now, &pace, Limit::BodyProgress)?)
    }

    /// Reports how much came, and of how much.
    fn truncated(&self) -> Violation {
        let (expected, received, announced) = match &self.state {
            Receiving::Known { length } => ("a body as long as was announced", self.received, *length),
            Receiving::Chunked(chunked) => {
                let announced = chunked.announced();
                let received = announced.saturating_sub(chunked.data_remaining());
                ("a last chunk before the end of the stream", received, announced)
            }
            // The end of the stream cuts off neither of these.
            Receiving::UntilClose => ("a body until the end of the stream", self.received, self.received),
            Receiving::Failed(_) => ("a body that can be understood", 0, 0),
        };
        let got = alloc::format!("{received} of {announced} bytes");
        Violation::new(expected, got.as_bytes(), crate::error::INCOMPLETE)
    }
}
