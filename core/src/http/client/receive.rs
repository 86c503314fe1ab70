//! Receives the body of a response.

use alloc::boxed::Box;

use super::between::Client;
use super::failure::Failure;
use super::send::Finished;
use super::waiting::Waiting;
use crate::http::grammar::reading::Reader;
use crate::http::received::body::{Event, Incoming, Ready};
use crate::http::received::length::{Asked, BodyLength, Framed};
use crate::http::received::persistence::Persistence;
use crate::http::{Method, RequestHead, ResponseHead};
use crate::{Bound, Deadline, Error, Exceeded, Inbox, Instant, Limit, Pace};

/// A final response whose head has arrived.
#[derive(Debug)]
#[must_use = "it holds the connection"]
pub struct Received {
    /// The head of the response.
    pub head: ResponseHead,
    /// Its body.
    pub body: ResponseBody,
}

/// The receiving side of an exchange: the rest of the response.
///
/// [`after`](Self::after) ends it, with the proof that the request is complete.
#[derive(Debug)]
#[must_use = "dropping it closes the connection"]
pub struct ResponseBody {
    inbox: Box<Inbox>,
    incoming: Incoming,
    announced: Option<u64>,
    persistence: Persistence,
}

/// What the request decides about reading its response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    asked: Asked,
    persistence: Persistence,
}

impl Terms {
    pub(in crate::http) fn of(head: &RequestHead) -> Self {
        let asked = if head.method() == Method::Head { Asked::Head } else { Asked::Content };
        Self { asked, persistence: head.persistence }
    }

    pub(in crate::http) fn asked(self) -> Asked {
        self.asked
    }

    pub(in crate::http) fn persistence(self) -> Persistence {
        self.persistence
    }

    /// The terms of a request that may switch the connection to another protocol, and did not.
    pub(crate) const UPGRADE: Self = Self { asked: Asked::Content, persistence: Persistence::Keep };
}

impl Received {
    pub(crate) fn new(waiting: Waiting, head: ResponseHead, terms: Terms) -> Result<Self, Failure> {
        let Waiting { mut inbox, limits, .. } = waiting;
        let (status, fields, version) = (head.status(), head.fields(), head.version());
        let reading = limits.reading_of(Reader::Client);
        let Framed { length, announced, persistence } =
            Framed::of_response(terms.asked, status, fields, version, reading)?;
        if matches!(length, BodyLength::Known(length) if length > limits.body_bytes) {
            let bound = Bound::Bytes(limits.body_bytes);
            return Err(Exceeded { limit: Limit::BodyBytes, bound }.into());
        }
        let persistence = match (terms.persistence, persistence) {
            (Persistence::Keep, Persistence::Keep) => Persistence::of(version, fields),
            (Persistence::Close, _) | (_, Persistence::Close) => Persistence::Close,
        };
        let incoming = Incoming::new(&mut inbox, limits, Reader::Client, length);
        let body = ResponseBody { inbox, incoming, announced, persistence };
        Ok(Self { head, body })
    }
}

impl ResponseBody {
    /// The inbox for received bytes.
    pub fn inbox(&mut self) -> &mut Inbox {
        &mut self.inbox
    }

    /// Returns the next part of the body, if it has arrived.
    ///
    /// # Errors
    ///
    /// The server broke the protocol, ended the stream within the body, or met a limit. For a body that was cut off,
    /// the error reports how much came of how much was announced. Each further poll returns the same error.
    pub fn poll(&mut self) -> Result<Option<Ready>, Error> {
        self.incoming.poll(&mut self.inbox)
    }

    /// Consumes what is ready.
    pub fn event(&mut self, ready: Ready) -> Event<'_> {
        self.incoming.event(&mut self.inbox, ready)
    }

    /// Notes that the caller does not wait for more of the body at `now`: time that the application takes does not
    /// count against the server. The next poll that finds nothing resumes the count.
    pub fn pause(&mut self, now: Instant) {
        self.incoming.pause(&mut self.inbox, now);
    }

    /// Sets the pace that the server must keep with this body, instead of [`Limits::response_pace`]. One client may
    /// need it for a download that must be quick and for an event stream that may be silent.
    ///
    /// [`Limits::response_pace`]: crate::http::Limits::response_pace
    pub fn set_pace(&mut self, pace: Pace) {
        self.incoming.set_pace(pace);
    }

    /// When to poll again even if nothing arrives: read first, then call [`Inbox::dry`].
    pub fn deadline(&self) -> Option<Deadline> {
        self.incoming.deadline()
    }

    /// The length that the head announces, if any. A response to HEAD and a 304 have no body, and may announce the
    /// length that the content would have (RFC 9110 8.6).
    pub fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// True if the body was received to its end.
    pub fn is_done(&self) -> bool {
        self.incoming.is_done(&self.inbox)
    }

    /// The bytes of content still to come, if known.
    pub fn remaining(&self) -> Option<u64> {
        self.incoming.remaining(&self.inbox)
    }

    /// True if only the end of the stream ends the body. Such a body is never known to be complete (RFC 9112 8): over
    /// TLS the stream has ended only with a close_notify.
    pub fn is_until_close(&self) -> bool {
        self.incoming.is_until_close()
    }

    /// True if no further request can follow this response, whatever comes: either side announced the close, or only
    /// the close ends the body. A request that is still being sent need not be finished.
    pub fn is_last(&self) -> bool {
        self.persistence == Persistence::Close || self.is_until_close() || self.incoming.has_failed()
    }

    /// Returns the right to send the next request, once this request and its response are complete.
    ///
    /// `None` if the connection is closed: the response was not received to its end, it is the [last](Self::is_last),
    /// the stream has ended, or there are bytes after the response.
    pub fn after(self, sent: Finished) -> Option<Client> {
        let Finished { .. } = sent;
        let Self { inbox, incoming, persistence, .. } = self;
        let limits = match persistence {
            Persistence::Keep if incoming.is_done(&inbox) => incoming.limits,
            Persistence::Keep | Persistence::Close => return None,
        };
        (inbox.is_empty() && !inbox.is_over()).then(|| Client::again(inbox, limits))
    }
}
