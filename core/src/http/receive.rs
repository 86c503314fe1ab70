//! Receives the body of a message, for both roles.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::chunked::{Chunked, Found};
use super::length::BodyLength;
use super::reading::Reader;
use super::{Fields, Limits};
use crate::time::Clock;
use crate::{Bound, Deadline, Error, Exceeded, Inbox, Instant, Limit, Pace, Payload, Violation, convert};

/// The receiving side of an exchange: the rest of the message, and the bytes after it.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) inbox: Box<Inbox>,
    pub(super) limits: Arc<Limits>,
    state: Receiving,
    reader: Reader,
    clock: Clock,
    /// Overrides the pace of the limits.
    pace: Option<Box<Pace>>,
}

#[derive(Debug)]
enum Receiving {
    Known {
        received: u64,
        length: u64,
    },
    Chunked(Chunked),
    /// Only in a response.
    UntilClose {
        received: u64,
    },
    /// The bytes after this point cannot be parsed.
    Failed(Error),
}

/// A part of a body has arrived: exchange this for the [`Event`].
///
/// A loop can thus poll, return if a part is ready, and read more if not, without borrowing the event.
#[derive(Debug)]
#[must_use = "exchange it for the event"]
pub struct Ready(Kind);

#[derive(Debug)]
enum Kind {
    Data(usize),
    Trailers(Fields),
    End,
}

/// A part of a body.
#[derive(Debug)]
pub enum Event<'a> {
    /// Content, in the receive buffer.
    Data(Payload<'a>),
    /// The trailer section, if there was one. It is never merged into the head (RFC 9110 6.5.1).
    Trailers(Fields),
    /// The end. Each further poll returns it again.
    End,
}

impl Incoming {
    pub(super) fn new(
        mut inbox: Box<Inbox>,
        limits: Arc<Limits>,
        reader: Reader,
        length: BodyLength,
    ) -> Self {
        let state = match length {
            BodyLength::Known(length) => Receiving::Known { received: 0, length },
            BodyLength::Chunked => Receiving::Chunked(Chunked::new()),
            BodyLength::UntilClose => Receiving::UntilClose { received: 0 },
        };
        inbox.forget_silence();
        Self { inbox, limits, state, reader, clock: Clock::default(), pace: None }
    }

    pub(super) fn poll(&mut self) -> Result<Option<Ready>, Error> {
        match self.next() {
            Ok(found) => Ok(found.map(Ready)),
            Err(error) => {
                self.state = Receiving::Failed(error.clone());
                Err(error)
            }
        }
    }

    pub(super) fn event(&mut self, ready: Ready) -> Event<'_> {
        match ready.0 {
            Kind::Data(len) => {
                // A token of another body cannot consume more than the rest of this one.
                let len = len.min(self.data_ready());
                match &mut self.state {
                    Receiving::Known { received, .. } | Receiving::UntilClose { received } => {
                        *received = received.saturating_add(convert::u64_from(len));
                    }
                    Receiving::Chunked(chunked) => chunked.consumed(len),
                    Receiving::Failed(_) => {}
                }
                self.clock.add(len);
                Event::Data(self.inbox.payload(len))
            }
            Kind::Trailers(fields) => Event::Trailers(fields),
            Kind::End => Event::End,
        }
    }

    pub(super) fn pause(&mut self, now: Instant) {
        self.clock.pause(now);
        self.inbox.forget_silence();
    }

    pub(super) fn deadline(&self) -> Option<Deadline> {
        self.clock.deadline(self.pace(), Limit::BodyProgress)
    }

    pub(super) fn set_pace(&mut self, pace: Pace) {
        self.pace = Some(pace.into());
    }

    fn pace(&self) -> &Pace {
        self.pace.as_deref().unwrap_or(match self.reader {
            Reader::Server => &self.limits.request_pace,
            Reader::Client => &self.limits.response_pace,
        })
    }

    pub(super) fn is_done(&self) -> bool {
        match &self.state {
            Receiving::Known { received, length } => received == length,
            Receiving::Chunked(chunked) => chunked.is_done(),
            Receiving::UntilClose { .. } => self.inbox.has_ended() && self.inbox.is_empty(),
            Receiving::Failed(_) => false,
        }
    }

    /// True if the message has content, received or not.
    pub(super) fn has_content(&self) -> bool {
        match &self.state {
            Receiving::Known { length, .. } => *length > 0,
            Receiving::Chunked(_) | Receiving::UntilClose { .. } | Receiving::Failed(_) => true,
        }
    }

    pub(super) fn remaining(&self) -> Option<u64> {
        match &self.state {
            Receiving::Known { received, length } => Some(length.saturating_sub(*received)),
            Receiving::Chunked(chunked) => chunked.is_done().then_some(0),
            Receiving::UntilClose { .. } => self.is_done().then_some(0),
            Receiving::Failed(_) => None,
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        matches!(self.state, Receiving::Failed(_))
    }

    /// True if only the close ends the body.
    pub(super) fn is_until_close(&self) -> bool {
        matches!(self.state, Receiving::UntilClose { .. })
    }

    /// True if no byte of the body has arrived: a peer that expects 100 Continue still waits.
    pub(super) fn is_untouched(&self) -> bool {
        self.inbox.is_empty()
            && match &self.state {
                Receiving::Known { received, .. } | Receiving::UntilClose { received } => *received == 0,
                Receiving::Chunked(chunked) => chunked.is_untouched(),
                Receiving::Failed(_) => false,
            }
    }

    fn next(&mut self) -> Result<Option<Kind>, Error> {
        let found = match &mut self.state {
            Receiving::Known { received, length } if received == length => Some(Kind::End),
            Receiving::Chunked(chunked) => {
                let before = self.inbox.len();
                let found = chunked.poll(&mut self.inbox, &self.limits, self.reader)?;
                self.clock.add(before.saturating_sub(self.inbox.len()));
                match found {
                    Found::Data(len) => Some(Kind::Data(len)),
                    Found::Trailers(fields) => Some(Kind::Trailers(fields)),
                    Found::End => Some(Kind::End),
                    Found::Nothing => None,
                }
            }
            Receiving::UntilClose { .. } if self.inbox.is_empty() => {
                self.inbox.has_ended().then_some(Kind::End)
            }
            Receiving::UntilClose { received } if *received == self.limits.body_bytes => {
                let bound = Bound::Bytes(self.limits.body_bytes);
                return Err(Exceeded { limit: Limit::BodyBytes, bound }.into());
            }
            Receiving::Known { .. } | Receiving::UntilClose { .. } => self.data(),
            Receiving::Failed(error) => return Err(error.clone()),
        };
        if found.is_none() {
            self.wait()?;
        }
        Ok(found)
    }

    fn data(&self) -> Option<Kind> {
        let len = self.data_ready();
        (len > 0).then_some(Kind::Data(len))
    }

    fn wait(&mut self) -> Result<(), Error> {
        if self.inbox.has_ended() {
            return Err(self.truncated().into());
        }
        let Some(now) = self.inbox.dry_at() else { return Ok(()) };
        let pace = *self.pace();
        Ok(self.clock.check(now, &pace, Limit::BodyProgress)?)
    }

    /// Reports how much came, and of how much.
    fn truncated(&self) -> Violation {
        let (expected, received, announced) = match &self.state {
            Receiving::Known { received, length } => ("a body as long as was announced", *received, *length),
            Receiving::Chunked(chunked) => {
                let announced = chunked.announced();
                let received = announced.saturating_sub(chunked.data_remaining());
                ("a last chunk before the end of the stream", received, announced)
            }
            // The end of the stream cuts off neither of these.
            Receiving::UntilClose { received } => {
                ("a body until the end of the stream", *received, *received)
            }
            Receiving::Failed(_) => ("a body that can be understood", 0, 0),
        };
        let got = alloc::format!("{received} of {announced} bytes");
        Violation::new(expected, got.as_bytes(), "RFC 9112 8")
    }

    /// The number of received bytes that are content of this body and come next.
    fn data_ready(&self) -> usize {
        let bound = match &self.state {
            Receiving::Known { received, length } => length.saturating_sub(*received),
            Receiving::Chunked(chunked) => chunked.data_remaining(),
            Receiving::UntilClose { received } => self.limits.body_bytes.saturating_sub(*received),
            Receiving::Failed(_) => 0,
        };
        self.inbox.len().min(convert::usize_from(bound))
    }
}
