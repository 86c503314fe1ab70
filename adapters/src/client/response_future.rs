//! The response to a request, until its head has arrived.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use endwell_core::http::InterimHead;

use super::asked::Asked;
use super::asking::Answer;
use super::request_error::RequestError;
use super::response::ResponseReader;

/// The response to a request, whose head has not arrived yet. Await it: it becomes [`ResponseReader`].
///
/// Interim responses are skipped, unless the caller [asks for them](Self::interim). If it is dropped, the connection
/// closes.
///
/// # Errors
///
/// The head did not come. [`RequestError`] tells whether the request can be sent again.
///
/// # Cancel safety
///
/// Cancel safe if it is awaited as `&mut response`.
#[must_use = "dropping it closes the connection"]
pub struct ResponseFuture(pub(super) Asked);

impl ResponseFuture {
    /// Sets the time from the request to the first byte of its response, instead of
    /// [`HttpLimits::response_time`](crate::http::HttpLimits::response_time): a long poll, or a request that takes the server
    /// long to compute, needs more. `None`: no limit.
    pub fn set_response_time(&mut self, time: Option<Duration>) {
        self.0.set_response_time(time);
    }

    /// Waits for the next interim response, such as 103 Early Hints. `None` if no further one will come, because the
    /// final response has arrived or the exchange has failed. Await the response itself then.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn interim(&mut self) -> InterimFuture<'_> {
        InterimFuture(self)
    }
}

impl Future for ResponseFuture {
    type Output = Result<ResponseReader, RequestError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self(asked) = self.get_mut();
        Poll::Ready(match ready!(asked.poll_answer(cx)) {
            Ok((right, Answer::Response(head))) => {
                Ok(ResponseReader::new(right, head).within(asked.take_time()))
            }
            Err(failure) => Err(failure),
            // Nothing else answers a request.
            Ok((_, Answer::Open(..) | Answer::Through(_))) => return Poll::Pending,
        })
    }
}

/// Waits for an interim response: [`ResponseFuture::interim`].
#[must_use = "futures do nothing unless polled"]
pub struct InterimFuture<'a>(&'a mut ResponseFuture);

impl Future for InterimFuture<'_> {
    type Output = Option<InterimHead>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.0.0.peek() {
            Some(right) => right.link().lock().poll_interim(cx),
            None => Poll::Ready(None),
        }
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl fmt::Debug for InterimFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InterimFuture").finish_non_exhaustive()
    }
}
