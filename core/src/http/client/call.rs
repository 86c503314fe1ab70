//! A request on its way, and its response.

use alloc::boxed::Box;
use core::time::Duration;

use super::Inner;
use super::awaited::{Arrived, Awaited, Upload};
use super::failure::Failure;
use super::idle::{ClientConnection, unasked};
use crate::closing::{Closing, Manner};
use crate::http::body::{BodyWriter, Streaming};
use crate::http::received::body::Found;
use crate::http::{FieldSection, Fields, InterimHead, ResponseHead};
use crate::{Inbox, Io, Outcome, Pace, Payload};

/// A request on its way, and its response.
///
/// `W` is the right. [`Streaming`]: the body of the request is being written. [`Withheld`]: it is not written before the
/// server asks for it. [`Sent`]: the request is complete. [`Stopped`]: it will never be. In each of them the response can be
/// read.
#[derive(Debug)]
#[must_use = "dropping it closes the connection"]
pub struct Call<W> {
    inner: Box<Inner>,
    right: W,
    /// What was found and not handed out.
    found: Option<Arrived>,
}

/// The request is complete.
#[derive(Debug)]
pub struct Sent(());

/// The body is not written before the server asks for it. RFC 9110 10.1.1.
#[derive(Debug)]
pub struct Withheld(Streaming);

/// The request stays incomplete: the server may answer it, and no further request can follow.
#[derive(Debug)]
pub struct Stopped(());

/// A response, lent by its call.
#[derive(Debug)]
pub struct Answer<'a> {
    inbox: &'a mut Inbox,
    response: &'a mut Awaited,
    found: &'a mut Option<Arrived>,
}

/// A part of a response.
#[derive(Debug)]
pub enum CallEvent<'a> {
    /// The withheld body can be written: the server asked for it, or its time to ask has passed. Comes at most once, and
    /// only for a request that [asks](ClientConnection::ask).
    Continue,
    /// An interim response. The final one is still to come.
    Interim(&'a InterimHead),
    /// The head of the final response. It comes once, and stays at [`Call::head`].
    Head(&'a ResponseHead),
    /// Content, in the receive buffer.
    Data(Payload<'a>),
    /// The trailer section, if there was one. It is never merged into the head (RFC 9110 6.5.1).
    Trailers(&'a Fields),
    /// The end. Asking again returns it again.
    End,
    /// The server broke the protocol, met a limit, or ended the stream. Nothing more can be understood. Asking again
    /// returns it again.
    Failed(Failure),
}

/// What a connection becomes after a request.
#[derive(Debug)]
#[must_use = "it holds the connection, or says how it ended"]
pub enum Again {
    /// The next request can be sent.
    Client(ClientConnection),
    /// The response was not read to its end: read on, or drop it.
    Unread(Call<Sent>),
    /// No further request can be sent: close the transport.
    Closed(Outcome),
}

impl Sent {
    pub(super) fn new() -> Self {
        Self(())
    }
}

impl Withheld {
    pub(super) fn new(streaming: Streaming) -> Self {
        Self(streaming)
    }
}

impl<W> Call<W> {
    pub(super) fn new(inner: Box<Inner>, right: W) -> Self {
        Self { inner, right, found: None }
    }

    /// The final head has arrived already.
    pub(super) fn answered(inner: Box<Inner>, right: W) -> Self {
        Self { inner, right, found: Some(Arrived::Final) }
    }

    /// The transport's side.
    pub fn io(&mut self) -> Io<'_> {
        Io::new(&mut self.inner.conn, &mut self.inner.response)
    }

    /// The response.
    pub fn answer(&mut self) -> Answer<'_> {
        let Self { inner, found, .. } = self;
        let Inner { conn, response, .. } = &mut **inner;
        Answer { inbox: &mut conn.inbox, response, found }
    }

    /// The head of the final response, once it has arrived.
    pub fn head(&self) -> Option<&ResponseHead> {
        self.inner.response.head.as_deref()
    }

    /// Takes the head of the final response, once it has arrived: [`head`](Self::head) no longer has it then, and no
    /// event brings it.
    pub fn take_head(&mut self) -> Option<ResponseHead> {
        if let Some(Arrived::Final) = self.found {
            self.found = None;
        }
        self.inner.response.head.take().map(|head| *head)
    }

    /// The length that the head announces, if any. A response to HEAD and a 304 have no body, and may announce the
    /// length that the content would have (RFC 9110 8.6).
    pub fn announced(&self) -> Option<u64> {
        self.inner.response.announced
    }

    /// True if only the end of the stream ends the body. Such a body is never known to be complete (RFC 9112 8): over
    /// TLS the stream has ended only with a close_notify.
    pub fn is_until_close(&self) -> bool {
        self.inner.response.body.is_until_close()
    }

    /// True if no further request can follow this response, whatever comes: either side announced the close, or only
    /// the close ends the body, or the response failed. A request that is still being sent need not be finished.
    pub fn is_last(&self) -> bool {
        self.inner.response.is_last()
    }

    /// True if no byte of a response has arrived. If the transport fails now, the request may not have arrived, as
    /// after [`Failure::Unanswered`].
    pub fn is_untouched(&self) -> bool {
        self.inner.response.is_untouched(&self.inner.conn.inbox)
    }

    /// Sets the time from when the server has the request to the first byte of its response, instead of
    /// [`HttpLimits::response_time`](crate::http::HttpLimits::response_time): a long poll, or a request that takes the server
    /// long to compute, needs more. `None`: no limit.
    pub fn set_response_time(&mut self, time: Option<Duration>) {
        self.inner.response.set_response_time(time);
    }

    /// Sets the pace that the server must keep with the body, instead of
    /// [`HttpLimits::response_pace`](crate::http::HttpLimits::response_pace). Call it once the head has arrived.
    pub fn set_body_pace(&mut self, pace: Pace) {
        self.inner.response.body.set_pace(pace);
    }

    /// Sets what becomes of the body of the request.
    fn upload(mut self, upload: Upload) -> (Box<Inner>, W, Option<Arrived>) {
        self.inner.response.set_upload(upload);
        (self.inner, self.right, self.found)
    }

    /// Gives the exchange up: the connection is reset. The server can tell that a request was cut off.
    pub fn abort(self) -> Closing {
        Closing::new(self.inner.conn, Outcome::Aborted, Manner::Reset)
    }
}

impl Call<Withheld> {
    /// Releases the body for writing. RFC 9110 10.1.1 lets a client do so without an answer of the server.
    pub fn proceed(self) -> Call<Streaming> {
        let (inner, Withheld(right), found) = self.upload(Upload::Underway);
        Call { inner, right, found }
    }

    /// Does not write the body: the request stays incomplete.
    pub fn stop(self) -> Call<Stopped> {
        let (inner, _, found) = self.upload(Upload::Over);
        Call { inner, right: Stopped(()), found }
    }
}

impl Call<Streaming> {
    /// The body of the request.
    pub fn writer(&mut self) -> BodyWriter<'_> {
        self.right.writer(&mut self.inner.conn.outbox)
    }

    /// Response and request at once: what is read can be written while it is still borrowed.
    pub fn split(&mut self) -> (Answer<'_>, BodyWriter<'_>) {
        let Self { inner, right, found } = self;
        let Inner { conn, response, .. } = &mut **inner;
        (Answer { inbox: &mut conn.inbox, response, found }, right.writer(&mut conn.outbox))
    }

    /// Ends the body. Trailers are sent in a chunked body and omitted otherwise (RFC 9110 6.5.1).
    ///
    /// # Errors
    ///
    /// Returns the call, of which nothing more was written, if less was written than was announced.
    pub fn finish(mut self, trailers: Option<&FieldSection>) -> Result<Call<Sent>, Self> {
        if !self.right.finish(trailers, &mut self.inner.conn.outbox) {
            return Err(self);
        }
        let (inner, _, found) = self.upload(Upload::Over);
        Ok(Call { inner, right: Sent(()), found })
    }

    /// Writes no more of the body, because its source has failed or the server stopped reading. A response may still come,
    /// and its time runs as for a whole request. The server can tell that the request is incomplete, once the connection
    /// closes.
    pub fn stop(self) -> Call<Stopped> {
        let (inner, _, found) = self.upload(Upload::Over);
        Call { inner, right: Stopped(()), found }
    }
}

impl Call<Sent> {
    /// Goes on to the next request, once the response was read to its end.
    pub fn next(self) -> Again {
        let Inner { conn, response, .. } = &*self.inner;
        if let Some(failure) = response.failure() {
            return Again::Closed(Outcome::from(failure.clone()));
        }
        if !response.is_in_body() || self.found.is_some() || !response.body.is_done(&conn.inbox) {
            return Again::Unread(self);
        }
        if response.is_last() {
            return Again::Closed(Outcome::ByUs);
        }
        if conn.inbox.is_over() && conn.inbox.is_empty() {
            return Again::Closed(Outcome::ByPeer);
        }
        match conn.inbox.unread() {
            [] => Again::Client(ClientConnection::again(self.inner)),
            got => Again::Closed(Outcome::Violated(unasked(got))),
        }
    }
}

impl<'a> Answer<'a> {
    /// True if a part has arrived. Consumes nothing.
    pub fn ready(&mut self) -> bool {
        if self.found.is_some() || self.response.failure().is_some() {
            return true;
        }
        if self.response.is_in_body() {
            return self.response.body.is_ready(self.inbox);
        }
        match self.response.poll_head(self.inbox) {
            Ok(Some(Arrived::Final)) => {
                if self.response.begin_body(self.inbox).is_ok() {
                    *self.found = Some(Arrived::Final);
                }
                true
            }
            Ok(Some(Arrived::Interim(head))) if head.status() == 101 => {
                let expected = "no 101 to a request that offers no other protocol";
                let violation = crate::Violation::new(expected, head.as_bytes(), "RFC 9110 15.2.2");
                self.response.fail(violation.into());
                true
            }
            Ok(found @ Some(_)) => {
                *self.found = found;
                true
            }
            Ok(None) => false,
            Err(_) => true,
        }
    }

    /// Takes the next part. `None` if it has not arrived.
    pub fn event(mut self) -> Option<CallEvent<'a>> {
        if !self.ready() {
            return None;
        }
        let Self { inbox, response, found } = self;
        match found.take() {
            Some(Arrived::Continue) => return Some(CallEvent::Continue),
            Some(Arrived::Interim(head)) => return Some(CallEvent::Interim(response.interim.insert(head))),
            Some(Arrived::Final) => return response.head.as_deref().map(CallEvent::Head),
            None => {}
        }
        if let Some(failure) = response.failure() {
            return Some(CallEvent::Failed(failure.clone()));
        }
        Some(match response.body.take(inbox)? {
            Found::Data(len) => CallEvent::Data(inbox.payload(len)),
            Found::Trailers(fields) => CallEvent::Trailers(fields),
            Found::End => CallEvent::End,
            Found::Failed(error) => CallEvent::Failed(Failure::Error(error.clone())),
        })
    }

    /// The bytes of content still to come, if known.
    pub fn remaining(&self) -> Option<u64> {
        if self.response.is_in_body() { self.response.body.remaining(self.inbox) } else { None }
    }

    /// True if the response was received to its end.
    pub fn is_done(&self) -> bool {
        self.response.is_in_body() && self.response.body.is_done(self.inbox)
    }
}
