//! The response to a request, until its head has arrived.

use core::time::Duration;

use super::expect::Continue;
use super::failure::Failure;
use super::receive::{Received, Terms};
use super::waiting::{Arrived, Waiting};
use crate::http::{InterimResponse, RequestHead};
use crate::{Deadline, Inbox, Step, Violation};

/// The response to one request, whose head has not arrived yet.
///
/// [`poll`](Self::poll) ends it in [`Next`] or in a [`Failure`].
#[derive(Debug)]
#[must_use = "dropping it closes the connection"]
pub struct Response {
    waiting: Waiting,
    terms: Terms,
}

/// What follows a request.
#[derive(Debug)]
#[must_use = "it holds the connection"]
pub enum Next {
    /// The withheld body can be written: the server asked for it, or its time to ask has passed. Comes at most once,
    /// and only for a request that [expects](super::Client::request_expecting) it.
    Continue(Continue, Response),
    /// An interim response. The final one is still to come.
    Interim(InterimResponse, Response),
    /// The head of the final response, and its body to read.
    Final(Received),
}

impl Response {
    pub(super) fn new(waiting: Waiting, head: &RequestHead) -> Self {
        Self { waiting, terms: Terms::of(head) }
    }

    /// The inbox for received bytes.
    pub fn inbox(&mut self) -> &mut Inbox {
        self.waiting.inbox()
    }

    /// Returns the next head, if it has arrived completely.
    ///
    /// # Errors
    ///
    /// The server broke the protocol, met a limit, or ended the stream. Nothing after that point can be parsed: the
    /// connection is lost.
    pub fn poll(mut self) -> Result<Step<Self, Next>, Failure> {
        Ok(match self.waiting.poll()? {
            None => Step::Wait(self),
            Some(Arrived::Continue) => Step::Done(Next::Continue(Continue::new(), self)),
            Some(Arrived::Interim(head)) if head.status() == 101 => {
                let expected = "no 101 to a request that offers no other protocol";
                return Err(Violation::new(expected, head.as_bytes(), "RFC 9110 15.2.2").into());
            }
            Some(Arrived::Interim(head)) => Step::Done(Next::Interim(head, self)),
            Some(Arrived::Final(head)) => {
                Step::Done(Next::Final(Received::new(self.waiting, head, self.terms)?))
            }
        })
    }

    /// Notes that the caller does not wait for the server now: the request is not written out, or the caller does not
    /// read. Silence counts from the next look at the stream, except within a head.
    pub fn pause(&mut self) {
        self.waiting.pause();
    }

    /// Sets the time from the request to the first byte of its response, instead of
    /// [`Limits::response_time`](crate::http::Limits::response_time): a long poll, or a request that takes the server
    /// long to compute, needs more. `None`: no limit.
    pub fn set_response_time(&mut self, time: Option<Duration>) {
        self.waiting.set_response_time(time);
    }

    /// When to poll again even if nothing arrives: read first, then call [`Inbox::dry`].
    pub fn deadline(&self) -> Option<Deadline> {
        self.waiting.deadline()
    }

    /// True if no byte of a response has arrived. If the transport fails now, the request may not have arrived, as
    /// after [`Failure::Unanswered`].
    pub fn is_untouched(&self) -> bool {
        self.waiting.is_untouched()
    }
}
