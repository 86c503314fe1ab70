//! Reads and writes bodies on a real connection.

#[cfg(feature = "http-body")]
mod http_body;
mod read;
mod source;
#[cfg(feature = "futures")]
mod streams;
mod write;

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
#[cfg(feature = "http-body")]
use endwell_core::Exceeded;
use endwell_core::Pace;
use endwell_core::http::{FieldSection, Fields};

use crate::Ended;
use crate::connection::Link;
use crate::news::{Gone, HalfClosed};
use crate::server::Answered;
#[cfg(feature = "http-body")]
pub use http_body::BodyError;
#[cfg(feature = "tower")]
pub(crate) use http_body::framing;
pub(crate) use read::Pieces;
pub use read::{ReadAll, ReadRequest};
pub(crate) use source::{Held, Source};
#[cfg(any(feature = "tokio", feature = "futures-io"))]
pub(crate) use write::poll_copy;
#[cfg(any(feature = "tokio", feature = "futures-io", feature = "futures"))]
pub(crate) use write::poll_queue;
pub use write::{Ready, Write, WriteError};

/// The body of a request, apart from the right to respond.
///
/// It can be read before the response and after it: the next request waits until it was read to its end or is dropped.
/// What is not read is discarded then, up to [`HttpLimits::drain_bytes`](endwell_core::http::HttpLimits::drain_bytes).
///
/// With feature `tokio` it is `tokio::io::AsyncRead`, with `futures-io` the same of `futures-io`, with `futures` a
/// `Stream`, and with `http-body` a `http_body::Body`. A body that was cut off is an error in each of them.
#[derive(Debug)]
pub struct RequestReader {
    link: Arc<Link>,
    /// The number of the exchange: the connection may be at a later one by now.
    number: u64,
    pub(crate) held: Held,
}

impl RequestReader {
    pub(crate) fn new(link: Arc<Link>, number: u64, rest: Bytes) -> Self {
        Self { link, number, held: Held::new(rest) }
    }

    /// True if it is the body of this exchange.
    pub(crate) fn is_of(&self, link: &Arc<Link>, number: u64) -> bool {
        Arc::ptr_eq(&self.link, link) && self.number == number
    }

    /// Gives up reading. Returns what was not read of the last piece.
    pub(crate) fn into_rest(mut self) -> Bytes {
        std::mem::take(&mut self.held.rest)
    }

    /// Reads the next piece of the body; `None` at its end, and nowhere else.
    ///
    /// # Errors
    ///
    /// The peer broke the protocol, ended the stream within the body, or met a limit; or the connection has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a piece that was not returned is returned by the next call.
    pub fn read(&mut self) -> ReadRequest<'_> {
        ReadRequest::new(&self.link, self.number, &mut self.held.rest)
    }

    /// Reads the rest of the body, which may be at most `limit` bytes: see
    /// [`Exchange::read_all`](crate::Exchange::read_all).
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read), or the body is larger than `limit`.
    ///
    /// # Cancel safety
    ///
    /// **Not** cancel safe: the bytes read so far are in the future.
    pub fn read_all(&mut self, limit: usize) -> ReadAll<ReadRequest<'_>> {
        ReadAll::new(self.read(), limit)
    }

    /// Sets the pace that the client must keep with this body:
    /// [`Exchange::set_body_pace`](crate::Exchange::set_body_pace).
    pub fn set_pace(&mut self, pace: Pace) {
        self.link.lock().set_request_pace(self.number, pace);
    }

    /// The fields after a chunked body, once it was read to its end.
    pub fn trailers(&self) -> Option<Fields> {
        self.link.lock().request_trailers(self.number)
    }
}

impl Source for RequestReader {
    type Error = Ended;

    fn held(&mut self) -> &mut Held {
        &mut self.held
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Ended>> {
        self.link.lock().poll_body(cx, self.number)
    }

    #[cfg(feature = "http-body")]
    fn remaining(&self) -> Option<u64> {
        self.link.lock().rest_of_body(self.number)
    }

    #[cfg(feature = "http-body")]
    fn is_at_end(&self) -> bool {
        self.link.lock().is_at_end_of_body(self.number)
    }

    #[cfg(feature = "http-body")]
    fn trailers(&self) -> Option<Fields> {
        self.trailers()
    }

    #[cfg(feature = "http-body")]
    fn too_many(&self, exceeded: Exceeded) -> Ended {
        Ended::limit(exceeded)
    }
}

impl Drop for RequestReader {
    fn drop(&mut self) {
        self.link.lock().drop_body(self.number);
    }
}

/// The right to write the body of a response.
///
/// [`finish`](Self::finish) or [`abort`](Self::abort) ends it. If it is dropped instead, the response is aborted: no
/// client can take it for a complete one.
///
/// Writing after the end does not compile:
///
/// ```compile_fail,E0382
/// # async fn f(mut body: endwell::ResponseWriter) {
/// let answered = body.finish();
/// body.write("more").await;
/// # }
/// ```
#[must_use = "a body that is dropped is aborted"]
pub struct ResponseWriter {
    link: Arc<Link>,
    number: u64,
    /// Nothing has used it up.
    is_open: bool,
    /// A piece that a sink has taken, and that is not queued yet.
    waiting: Bytes,
}

impl ResponseWriter {
    pub(crate) fn new(link: Arc<Link>, number: u64) -> Self {
        Self { link, number, is_open: true, waiting: Bytes::new() }
    }

    /// Where pieces are queued, and the piece that goes first.
    #[cfg(any(feature = "tokio", feature = "futures-io", feature = "futures"))]
    pub(crate) fn queue(&mut self) -> (&Link, &mut Bytes) {
        (&self.link, &mut self.waiting)
    }

    /// Waits until the connection has ended: see [`Exchange::gone`](crate::Exchange::gone).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn gone(&self) -> Gone<'_> {
        Gone::new(&self.link)
    }

    /// Waits until the client has ended its side of the stream: see
    /// [`Exchange::half_closed`](crate::Exchange::half_closed).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn half_closed(&self) -> HalfClosed<'_> {
        HalfClosed::new(&self.link)
    }

    /// Writes `data`: waits for room and queues it, in parts if it is large.
    ///
    /// # Errors
    ///
    /// The connection has ended ([`WriteError::Ended`]), or the data exceeds the announced length
    /// ([`WriteError::Overrun`]). In the latter case none of it was written, and it is returned.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops writing, but corrupts nothing: what was queued by then is sent. To learn how much that
    /// is, keep the future and call [`Write::into_rest`]; or wait with [`ready`](Self::ready), which is cancel safe.
    pub fn write(&mut self, data: impl Into<Bytes>) -> Write<'_> {
        Write::new(&self.link, &mut self.waiting, data.into())
    }

    /// Waits until a piece can be written.
    ///
    /// # Errors
    ///
    /// The connection has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn ready(&mut self) -> Ready<'_> {
        Ready::for_a_piece(&self.link)
    }

    /// Waits until the transport has taken everything that was written. Without this, it is written when the handler
    /// waits for anything.
    ///
    /// # Errors
    ///
    /// The connection has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn flush(&mut self) -> Ready<'_> {
        Ready::flushed(&self.link)
    }

    /// Sets the pace at which the client must take this response:
    /// [`Exchange::set_output_pace`](crate::Exchange::set_output_pace).
    pub fn set_output_pace(&mut self, pace: Pace) {
        self.link.lock().set_response_pace(self.number, pace);
    }

    /// Ends the body. Does not wait.
    ///
    /// # Errors
    ///
    /// Aborts the response if less was written than was announced.
    pub fn finish(self) -> Result<Answered, Ended> {
        self.end(None)
    }

    /// Ends the body with trailers. They are sent if the body is chunked and the request had `TE: trailers`, and
    /// omitted otherwise.
    ///
    /// # Errors
    ///
    /// Those of [`finish`](Self::finish).
    pub fn finish_with(self, trailers: &FieldSection) -> Result<Answered, Ended> {
        self.end(Some(trailers))
    }

    /// Cuts the body off, because its source has failed. The connection closes, or is reset if a close would look like
    /// the end of the body.
    pub fn abort(self) -> Ended {
        Ended::ABORTED
    }

    fn end(mut self, trailers: Option<&FieldSection>) -> Result<Answered, Ended> {
        if !self.waiting.is_empty() {
            // Without it, the body would look complete.
            return Err(self.abort());
        }
        self.is_open = false;
        self.link.lock().finish(&self.link, trailers).map(|()| Answered::new())
    }
}

impl Drop for ResponseWriter {
    fn drop(&mut self) {
        if self.is_open {
            self.link.lock().abort(&self.link);
        }
    }
}

impl fmt::Debug for ResponseWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseWriter").finish_non_exhaustive()
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}
