//! The response to a request, until its head has arrived.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use endwell_core::http::InterimHead;

use super::connection::Right;
use super::request_error::RequestError;
use super::response::ResponseReader;
use crate::once::Once;

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
pub struct ResponseFuture(Once<Right>);

impl ResponseFuture {
    pub(super) fn new(right: Right) -> Self {
        Self(Once::new(right))
    }

    /// Sets the time from the request to the first byte of its response, instead of
    /// [`HttpLimits::response_time`](crate::http::HttpLimits::response_time): a long poll, or a request that takes the server
    /// long to compute, needs more. `None`: no limit.
    pub fn set_response_time(&mut self, time: Option<Duration>) {
        if let Some(right) = self.0.peek() {
            right.link().lock().set_response_time(time);
        }
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
        let Self(slot) = self.get_mut();
        let answer = ready!(slot.get().link().lock().poll_head(cx));
        // A right that is no longer used is dropped without the lock.
        let right = slot.take();
        Poll::Ready(answer.map(|head| ResponseReader::new(right, head)))
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
