//! An offer of any protocol. RFC 9110 7.8.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use endwell_core::http::InterimHead;
use endwell_core::http::client::GrantHead;

use super::asked::Asked;
use super::asking::Answer;
use super::request_error::RequestError;
use super::response::ResponseReader;
use crate::upgraded::Upgraded;

/// An offer of another protocol, without a response so far. Await it. If it is dropped, the connection closes.
///
/// # Errors
///
/// No response came, or an invalid one. [`RequestError`] tells whether the request can be sent again.
///
/// # Cancel safety
///
/// Cancel safe if it is awaited as `&mut switch`.
#[must_use = "dropping it closes the connection"]
pub struct SwitchFuture(pub(super) Asked);

/// What became of an offer of another protocol.
#[derive(Debug)]
#[must_use = "it holds the connection"]
pub enum SwitchOutcome {
    /// The connection uses the other protocol.
    Stream {
        /// The bytes both ways. It starts with those that came right after the response.
        stream: Upgraded,
        /// The head of the 101.
        head: InterimHead,
    },
    /// The server did not switch, and responded as to a request without the offer. After the body the connection can be
    /// used again.
    Response(Box<ResponseReader>),
}

impl SwitchFuture {
    /// Sets the time from the request to the first byte of its answer, instead of
    /// [`HttpLimits::response_time`](crate::http::HttpLimits::response_time). `None`: no limit.
    pub fn set_response_time(&mut self, time: Option<Duration>) {
        self.0.set_response_time(time);
    }
}

impl Future for SwitchFuture {
    type Output = Result<SwitchOutcome, RequestError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self(asked) = self.get_mut();
        Poll::Ready(match ready!(asked.poll_answer(cx)) {
            Ok((right, Answer::Through(GrantHead::Switching(head)))) => {
                let stream = Upgraded::new(Arc::clone(right.link()));
                Ok(SwitchOutcome::Stream { stream, head: *head })
            }
            Ok((right, Answer::Response(head))) => {
                let response = ResponseReader::new(right, head).within(asked.take_time());
                Ok(SwitchOutcome::Response(response.into()))
            }
            Err(failure) => Err(failure),
            // Nothing else answers an offer.
            Ok((_, Answer::Open(..) | Answer::Through(GrantHead::Success(_)))) => return Poll::Pending,
        })
    }
}

impl fmt::Debug for SwitchFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SwitchFuture").finish_non_exhaustive()
    }
}
