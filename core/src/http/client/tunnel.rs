//! A tunnel that was requested. RFC 9110 9.3.6.

use core::time::Duration;

use super::failure::Failure;
use super::receive::{Received, Terms};
use super::send::Finished;
use super::waiting::{Arrived, Waiting};
use crate::http::{ResponseHead, Upgraded};
use crate::{Deadline, Inbox, Step, Violation};

/// A CONNECT without a response so far. The right to write comes only with the response.
#[derive(Debug)]
#[must_use = "dropping it closes the connection"]
pub struct Tunnel(Waiting);

/// The response to a CONNECT.
#[derive(Debug)]
#[must_use = "it holds the connection"]
pub enum Tunnelled {
    /// Success: the bytes after the head belong to the tunnel.
    Open(ResponseHead, Upgraded),
    /// Any other response. The connection still uses HTTP, and can be used again as after any other request.
    Refused(Received, Finished),
}

impl Tunnel {
    pub(super) fn new(waiting: Waiting) -> Self {
        Self(waiting)
    }

    /// The inbox for received bytes.
    pub fn inbox(&mut self) -> &mut Inbox {
        self.0.inbox()
    }

    /// Returns the response, if its head has arrived. Skips interim responses.
    ///
    /// Ignores Content-Length and Transfer-Encoding in a 2xx (RFC 9112 6.3).
    ///
    /// # Errors
    ///
    /// Those of [`Response::poll`](super::Response::poll).
    pub fn poll(mut self) -> Result<Step<Self, Tunnelled>, Failure> {
        loop {
            match self.0.poll()? {
                None => return Ok(Step::Wait(self)),
                Some(Arrived::Interim(head)) if head.status() == 101 => {
                    let expected = "no 101 to a CONNECT";
                    return Err(Violation::new(expected, head.as_bytes(), "RFC 9110 15.2.2").into());
                }
                Some(Arrived::Interim(_) | Arrived::Continue) => {}
                Some(Arrived::Final(head)) if head.status().is_success() => {
                    return Ok(Step::Done(Tunnelled::Open(head, Upgraded::new(self.0.into_inbox()))));
                }
                Some(Arrived::Final(head)) => {
                    let received = Received::new(self.0, head, Terms::UPGRADE)?;
                    return Ok(Step::Done(Tunnelled::Refused(received, Finished::new())));
                }
            }
        }
    }

    /// Notes that the caller does not wait for the server now: the request is not written out. Silence counts from the
    /// next look at the stream, except within a head.
    pub fn pause(&mut self) {
        self.0.pause();
    }

    /// Sets the time from the request to the first byte of its answer, instead of
    /// [`Limits::response_time`](crate::http::Limits::response_time). `None`: no limit.
    pub fn set_response_time(&mut self, time: Option<Duration>) {
        self.0.set_response_time(time);
    }

    /// When to poll again even if nothing arrives: read first, then call [`Inbox::dry`].
    pub fn deadline(&self) -> Option<Deadline> {
        self.0.deadline()
    }

    /// True if no byte of a response has arrived: see [`Response::is_untouched`](super::Response::is_untouched).
    pub fn is_untouched(&self) -> bool {
        self.0.is_untouched()
    }
}
