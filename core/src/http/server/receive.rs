//! The body of a request as it is received.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::refusal::status_of;
use crate::http::chunked::{Chunked, Found};
use crate::http::length::BodyLength;
use crate::http::{Fields, Limits, StatusCode};
use crate::time::Progress;
use crate::{Deadline, Error, Exceeded, Inbox, Instant, Limit, Payload, Violation, convert};

/// The receiving side of an exchange: the rest of the request, and the bytes behind it.
///
/// It ends in [`after`](Self::after), together with the proof that the response is whole.
#[derive(Debug)]
#[must_use = "dropping the receiving side closes the connection"]
pub struct RequestBody {
    pub(super) inbox: Box<Inbox>,
    pub(super) limits: Arc<Limits>,
    state: Receiving,
    progress: Progress,
}

#[derive(Debug)]
enum Receiving {
    Known {
        received: u64,
        length: u64,
    },
    Chunked(Chunked),
    /// Nothing behind this point can be understood.
    Failed(Error),
}

/// Something of the body has arrived: exchange it for the [`Event`] with [`RequestBody::event`].
///
/// It lets a loop poll, return if there is something, and read more if not, without borrowing the event.
#[derive(Debug)]
#[must_use = "exchange it for the event"]
pub struct Ready(Kind);

#[derive(Debug)]
enum Kind {
    Data(usize),
    Trailers(Fields),
    End,
}

/// A part of a request's body.
#[derive(Debug)]
pub enum Event<'a> {
    /// Content, where it arrived.
    Data(Payload<'a>),
    /// The trailer section, if there was one. Never merged into the head (RFC 9110 6.5.1).
    Trailers(Fields),
    /// The end. Comes again whenever it is asked for again.
    End,
}

impl RequestBody {
    pub(super) fn new(mut inbox: Box<Inbox>, limits: Arc<Limits>, length: BodyLength) -> Self {
        let state = match length {
            BodyLength::Known(length) => Receiving::Known { received: 0, length },
            BodyLength::Chunked => Receiving::Chunked(Chunked::new()),
        };
        inbox.forget_silence();
        Self { inbox, limits, state, progress: Progress::default() }
    }

    /// Where received bytes go. Also those behind the body: they stay for the next request.
    pub fn inbox(&mut self) -> &mut Inbox {
        &mut self.inbox
    }

    /// The next part of the body, if it has arrived.
    ///
    /// # Errors
    ///
    /// The peer broke the protocol, ended the stream within the body (the error says how much came of how
    /// much), or met a limit. The same error comes again from then on. If no head was written the request can
    /// still be answered, with [`status_of_error`](Self::status_of_error), and the answer announces the close.
    pub fn poll(&mut self) -> Result<Option<Ready>, Error> {
        match self.next() {
            Ok(found) => Ok(found.map(Ready)),
            Err(error) => {
                self.state = Receiving::Failed(error.clone());
                Err(error)
            }
        }
    }

    /// Consumes what is ready.
    pub fn event(&mut self, ready: Ready) -> Event<'_> {
        match ready.0 {
            Kind::Data(len) => {
                // A token of another body cannot consume more than is left of this one.
                let len = len.min(self.data_ready());
                match &mut self.state {
                    Receiving::Known { received, .. } => *received += convert::u64_from(len),
                    Receiving::Chunked(chunked) => chunked.consumed(len),
                    Receiving::Failed(_) => {}
                }
                self.progress.add(len);
                Event::Data(self.inbox.payload(len))
            }
            Kind::Trailers(fields) => Event::Trailers(fields),
            Kind::End => Event::End,
        }
    }

    /// Nobody waits for more of the body at `now`: an application that takes its time does not use up the peer's.
    /// The next poll that finds nothing goes on counting.
    pub fn pause(&mut self, now: Instant) {
        self.progress.pause(now);
        self.inbox.forget_silence();
    }

    /// When to poll again though nothing arrived: read first, then say [`Inbox::dry`].
    pub fn deadline(&self) -> Option<Deadline> {
        self.limits.body_progress.and_then(|rate| self.progress.deadline(rate, Limit::BodyProgress))
    }

    /// True if the body was received to its end.
    pub fn is_done(&self) -> bool {
        match &self.state {
            Receiving::Known { received, length } => received == length,
            Receiving::Chunked(chunked) => chunked.is_done(),
            Receiving::Failed(_) => false,
        }
    }

    /// True if the request has content, received or not.
    pub(crate) fn has_content(&self) -> bool {
        match &self.state {
            Receiving::Known { length, .. } => *length > 0,
            Receiving::Chunked(_) | Receiving::Failed(_) => true,
        }
    }

    /// The bytes behind the request, for another protocol.
    pub(crate) fn into_inbox(self) -> Inbox {
        *self.inbox
    }

    /// How many bytes of content are still to come, if that is known.
    pub fn remaining(&self) -> Option<u64> {
        match &self.state {
            Receiving::Known { received, length } => Some(length.saturating_sub(*received)),
            Receiving::Chunked(chunked) => chunked.is_done().then_some(0),
            Receiving::Failed(_) => None,
        }
    }

    /// True if the body failed: nothing behind that point is understood.
    pub fn has_failed(&self) -> bool {
        matches!(self.state, Receiving::Failed(_))
    }

    /// The status with which to answer a request whose body failed: 400, 408, 413 or 431.
    pub fn status_of_error(error: &Error) -> StatusCode {
        match error {
            Error::Protocol(_) => StatusCode::BAD_REQUEST,
            Error::Limit(exceeded) => status_of(exceeded.limit),
        }
    }

    /// True if no byte of the body has arrived: a peer that expects to be told to continue still waits.
    pub(super) fn is_untouched(&self) -> bool {
        self.inbox.is_empty()
            && match &self.state {
                Receiving::Known { received, .. } => *received == 0,
                Receiving::Chunked(chunked) => chunked.is_untouched(),
                Receiving::Failed(_) => false,
            }
    }

    fn next(&mut self) -> Result<Option<Kind>, Error> {
        let found = match &mut self.state {
            Receiving::Known { received, length } if received == length => Some(Kind::End),
            Receiving::Known { received, length } => {
                let remaining = convert::usize_from(length.saturating_sub(*received));
                let len = self.inbox.len().min(remaining);
                (len > 0).then_some(Kind::Data(len))
            }
            Receiving::Chunked(chunked) => match chunked.poll(&mut self.inbox, &self.limits)? {
                Found::Data(len) => Some(Kind::Data(len)),
                Found::Trailers(fields) => Some(Kind::Trailers(fields)),
                Found::End => Some(Kind::End),
                Found::Nothing => None,
            },
            Receiving::Failed(error) => return Err(error.clone()),
        };
        if found.is_none() {
            self.wait()?;
        }
        Ok(found)
    }

    fn wait(&mut self) -> Result<(), Error> {
        if self.inbox.has_ended() {
            return Err(self.truncated().into());
        }
        let (Some(now), Some(rate)) = (self.inbox.dry_at(), self.limits.body_progress) else { return Ok(()) };
        if self.progress.expired(now, rate) {
            return Err(Exceeded::rate(Limit::BodyProgress, rate).into());
        }
        Ok(())
    }

    fn truncated(&self) -> Violation {
        match &self.state {
            Receiving::Known { received, length } => {
                let got = alloc::format!("{received} of {length} bytes");
                Violation::new("a body as long as was announced", got.as_bytes(), "RFC 9112 8")
            }
            Receiving::Chunked(_) | Receiving::Failed(_) => {
                Violation::new("a last chunk before the end of the stream", b"", "RFC 9112 8")
            }
        }
    }

    fn data_ready(&self) -> usize {
        match &self.state {
            Receiving::Known { received, length } => {
                self.inbox.len().min(convert::usize_from(length.saturating_sub(*received)))
            }
            Receiving::Chunked(chunked) => {
                self.inbox.len().min(convert::usize_from(chunked.data_remaining()))
            }
            Receiving::Failed(_) => 0,
        }
    }
}
