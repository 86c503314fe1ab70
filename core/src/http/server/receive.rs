//! Receives the body of a request.

use alloc::boxed::Box;
use alloc::sync::Arc;

use crate::http::grammar::reading::Reader;
use crate::http::received::body::{Event, Incoming, Ready};
use crate::http::received::length::BodyLength;
use crate::http::{Limits, StatusCode};
use crate::{Deadline, Error, Inbox, Instant, Pace};

/// The receiving side of an exchange: the rest of the request, and the bytes after it.
///
/// [`after`](Self::after) ends it, with the proof that the response is complete.
#[derive(Debug)]
#[must_use = "dropping the receiving side closes the connection"]
pub struct RequestBody {
    inbox: Box<Inbox>,
    incoming: Incoming,
}

impl RequestBody {
    pub(super) fn new(mut inbox: Box<Inbox>, limits: Arc<Limits>, length: BodyLength) -> Self {
        let incoming = Incoming::new(&mut inbox, limits, Reader::Server, length);
        Self { inbox, incoming }
    }

    /// The inbox for received bytes. Bytes after the body stay there for the next request.
    pub fn inbox(&mut self) -> &mut Inbox {
        &mut self.inbox
    }

    /// Returns the next part of the body, if it has arrived.
    ///
    /// # Errors
    ///
    /// The peer broke the protocol, ended the stream within the body, or met a limit. For a body that was cut off, the
    /// error reports how much came of how much was announced. Each further poll returns the same error. If no head was
    /// written, the request can still be answered with [`status_of_error`](Self::status_of_error), and the response
    /// announces the close.
    pub fn poll(&mut self) -> Result<Option<Ready>, Error> {
        self.incoming.poll(&mut self.inbox)
    }

    /// Consumes what is ready.
    pub fn event(&mut self, ready: Ready) -> Event<'_> {
        self.incoming.event(&mut self.inbox, ready)
    }

    /// Notes that the caller does not wait for more of the body at `now`: time that the application takes does not
    /// count against the peer. The next poll that finds nothing resumes the count.
    pub fn pause(&mut self, now: Instant) {
        self.incoming.pause(&mut self.inbox, now);
    }

    /// Sets the pace that the peer must keep with this body, instead of [`Limits::request_pace`], for example on one
    /// endpoint that takes slow or endless uploads.
    pub fn set_pace(&mut self, pace: Pace) {
        self.incoming.set_pace(pace);
    }

    /// When to poll again even if nothing arrives: read first, then call [`Inbox::dry`].
    pub fn deadline(&self) -> Option<Deadline> {
        self.incoming.deadline()
    }

    /// True if the body was received to its end.
    pub fn is_done(&self) -> bool {
        self.incoming.is_done(&self.inbox)
    }

    /// True if the request has content, received or not.
    pub(crate) fn has_content(&self) -> bool {
        self.incoming.has_content()
    }

    /// The bytes after the request, for what comes next, and the limits.
    pub(crate) fn into_parts(self) -> (Box<Inbox>, Arc<Limits>) {
        (self.inbox, self.incoming.limits)
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.incoming.limits
    }

    /// The bytes of content still to come, if known.
    pub fn remaining(&self) -> Option<u64> {
        self.incoming.remaining(&self.inbox)
    }

    /// True if the body failed: nothing after that point can be parsed.
    pub fn has_failed(&self) -> bool {
        self.incoming.has_failed()
    }

    /// Discards what has arrived of the body. If that breaks the protocol or a limit, the body has failed.
    pub(super) fn discard(&mut self) {
        while let Ok(Some(ready)) = self.poll() {
            if let Event::End = self.event(ready) {
                break;
            }
        }
    }

    /// The status with which to answer a request whose body failed: 400, 408, 413 or 431.
    pub fn status_of_error(error: &Error) -> StatusCode {
        StatusCode::of_error(error)
    }

    pub(super) fn parts(&mut self) -> (&mut Inbox, &mut Incoming) {
        (&mut self.inbox, &mut self.incoming)
    }

    pub(super) fn parts_ref(&self) -> (&Inbox, &Incoming) {
        (&self.inbox, &self.incoming)
    }
}
