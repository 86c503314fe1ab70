//! Writes the body of a request.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use endwell_core::Pace;
use endwell_core::http::FieldSection;

use crate::connection::{Link, Side, Until};
use crate::{Ended, Ready, Write};

/// The right to write the body of a request.
///
/// [`finish`](Self::finish) or [`abort`](Self::abort) ends it. If it is dropped instead, the request is aborted. A
/// response to a request that was cut off may still come and can be read; the connection is not used again.
///
/// Writing after the end does not compile:
///
/// ```compile_fail,E0382
/// # async fn f(mut body: endwell::client::RequestWriter) {
/// let finished = body.finish();
/// body.write("more").await;
/// # }
/// ```
#[must_use = "a body that is dropped is aborted"]
pub struct RequestWriter {
    right: Writing,
    /// A piece that a sink has taken, and that is not queued yet.
    waiting: Bytes,
}

/// The right, and its connection. Dropping it cuts the request off.
struct Writing {
    link: Arc<Link>,
    /// The number of the request. `None` if the connection had ended before, or the right is used up.
    number: Option<u64>,
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some(number) = self.number.take() {
            self.link.lock().cut_request_off(number);
        }
    }
}

impl RequestWriter {
    /// `None` as the number of the request if the connection had ended before.
    pub(super) fn new(link: &Arc<Link>, number: Option<u64>) -> Self {
        Self { right: Writing { link: Arc::clone(link), number }, waiting: Bytes::new() }
    }

    /// Where pieces are queued, and the piece that goes first.
    #[cfg(any(feature = "tokio", feature = "futures-io", feature = "futures"))]
    pub(crate) fn queue(&mut self) -> (&Link, &mut Bytes) {
        (&self.right.link, &mut self.waiting)
    }

    /// Writes `data`: waits for room and queues it, in parts if it is large.
    ///
    /// # Errors
    ///
    /// Nothing can be written any more ([`WriteError::Ended`](crate::WriteError::Ended)): the server may have responded before it stopped
    /// reading, so look at the [`ResponseFuture`](super::ResponseFuture). Or the data exceeds the announced length
    /// ([`WriteError::Overrun`](crate::WriteError::Overrun)): none of it was written then, and it is returned.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops writing, but corrupts nothing: what was queued by then is sent. To learn how much that
    /// is, keep the future and call [`Write::into_rest`]; or wait with [`ready`](Self::ready), which is cancel safe.
    pub fn write(&mut self, data: impl Into<Bytes>) -> Write<'_> {
        Write::new(&self.right.link, &mut self.waiting, data.into())
    }

    /// Waits until a piece can be written.
    ///
    /// # Errors
    ///
    /// Those of [`write`](Self::write).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn ready(&mut self) -> Ready<'_> {
        Ready::for_a_piece(&self.right.link)
    }

    /// Waits until the transport has taken everything that was written.
    ///
    /// # Errors
    ///
    /// Those of [`write`](Self::write).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn flush(&mut self) -> Ready<'_> {
        Ready::flushed(&self.right.link)
    }

    /// Sets the pace at which the server must take this request, instead of
    /// [`OutboxLimits::pace`](endwell_core::OutboxLimits::pace), for example for a large upload to a slow server.
    pub fn set_output_pace(&mut self, pace: Pace) {
        if self.right.number.is_some() {
            self.right.link.lock().set_output_pace(pace);
        }
    }

    /// Ends the body. Does not wait.
    ///
    /// # Errors
    ///
    /// Aborts the request if less was written than was announced, or the connection has ended.
    pub fn finish(self) -> Result<(), Ended> {
        self.end(None)
    }

    /// Ends the body with trailers. They are sent if the body is chunked, and omitted otherwise.
    ///
    /// # Errors
    ///
    /// Those of [`finish`](Self::finish).
    pub fn finish_with(self, trailers: &FieldSection) -> Result<(), Ended> {
        self.end(Some(trailers))
    }

    /// Cuts the body off, because its source has failed or the body is no longer wanted.
    pub fn abort(self) {}

    fn end(mut self, trailers: Option<&FieldSection>) -> Result<(), Ended> {
        if !self.waiting.is_empty() {
            // Without it, the body would look complete.
            return Err(Ended::ABORTED);
        }
        let mut connection = self.right.link.lock();
        let Some(number) = self.right.number.take() else {
            return Err(connection.ended().cloned().unwrap_or(Ended::ABORTED));
        };
        connection.finish_request(number, trailers)
    }
}

/// The body of a request that waits for 100 Continue. Await it: it becomes a [`RequestWriter`].
///
/// # Errors
///
/// The server has already responded, or the connection has ended: await the [`ResponseFuture`](super::ResponseFuture).
///
/// # Cancel safety
///
/// Cancel safe if it is awaited as `&mut withheld`. If it is dropped, the request is cut off.
#[must_use = "a body that is withheld for ever leaves the connection without a next request"]
pub struct ContinueFuture {
    link: Arc<Link>,
    number: Option<u64>,
}

/// A body that the server did not ask for: it has already responded, or the connection has ended. The
/// [`ResponseFuture`](super::ResponseFuture) tells which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotWanted(());

impl fmt::Display for NotWanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body is not wanted: the request was answered before it, or the connection has ended")
    }
}

impl std::error::Error for NotWanted {}

impl ContinueFuture {
    pub(super) fn new(link: &Arc<Link>, number: Option<u64>) -> Self {
        Self { link: Arc::clone(link), number }
    }
}

impl Future for ContinueFuture {
    type Output = Result<RequestWriter, NotWanted>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { link, number } = self.get_mut();
        let mut connection = link.lock();
        // A connection that has ended also answers the question.
        let _ = ready!(connection.poll_output(cx, Side::Writer, Until::Wanted));
        let Some(number) = number.take() else { return Poll::Ready(Err(NotWanted(()))) };
        if !connection.take_wanted(number) {
            return Poll::Ready(Err(NotWanted(())));
        }
        drop(connection);
        Poll::Ready(Ok(RequestWriter::new(link, Some(number))))
    }
}

impl Drop for ContinueFuture {
    fn drop(&mut self) {
        if let Some(number) = self.number.take() {
            self.link.lock().cut_request_off(number);
        }
    }
}

impl fmt::Debug for RequestWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestWriter").finish_non_exhaustive()
    }
}

impl fmt::Debug for ContinueFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContinueFuture").finish_non_exhaustive()
    }
}
