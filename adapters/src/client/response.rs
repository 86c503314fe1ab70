//! A response whose head has arrived.

use std::fmt;
use std::pin::Pin;
#[cfg(feature = "http-body")]
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use endwell_core::http::{Fields, ResponseHead, StatusCode};
use endwell_core::{Bound, Exceeded, Limit, Pace};

use super::asking::Calling;
use super::connection::{Connection, Right};
use super::request_error::{Incomplete, TextError};
use super::total_time::TotalTime;
use crate::Ended;
use crate::body::{Held, Pieces, ReadAll, Source};
#[cfg(feature = "http-body")]
use crate::connection::Link;
use crate::once::Once;

/// A final response whose head has arrived, and whose body can be read.
///
/// [`finish`](Self::finish) ends it and returns the connection. If it is dropped instead, the connection closes; one of
/// a [`Pool`](super::Pool) goes back to it if the request is written and the whole body has arrived.
#[must_use = "dropping it closes the connection"]
pub struct ResponseReader {
    right: Right,
    head: ResponseHead,
    announced: Option<u64>,
    given_out: u64,
    retries: u32,
    time: Option<TotalTime>,
    pub(crate) held: Held,
}

impl ResponseReader {
    pub(super) fn new(right: Right, head: ResponseHead) -> Self {
        let announced = right.link().lock().responding().and_then(|call| call.announced());
        Self { right, head, announced, given_out: 0, retries: 0, time: None, held: Held::default() }
    }

    /// The head.
    pub fn head(&self) -> &ResponseHead {
        &self.head
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.head.status()
    }

    /// The fields of the head.
    pub fn fields(&self) -> &Fields {
        self.head.fields()
    }

    /// The time after which the server asks to send the request again: Retry-After, RFC 9110 10.2.3. A date counts from the
    /// response's own Date, or from now if it has none. `None` if the field is missing or is not valid.
    pub fn retry_after(&self) -> Option<Duration> {
        let field = |name| self.fields().get_str(name).map(str::trim);
        let text = field("retry-after")?;
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().map(Duration::from_secs);
        }
        let date = |text| httpdate::parse_http_date(text).ok();
        let now = field("date").and_then(date).unwrap_or_else(SystemTime::now);
        Some(date(text)?.duration_since(now).unwrap_or_default())
    }

    /// The length that the head announces, if any. A response to HEAD and a 304 have no body, and may announce the
    /// length that the content would have (RFC 9110 8.6).
    pub fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// The number of times that [`Pool::send`](super::Pool::send) sent the request again before this response. Without
    /// a pool, zero.
    pub fn retries(&self) -> u32 {
        self.retries
    }

    #[cfg(feature = "http-body")]
    pub(super) fn link(&self) -> &Arc<Link> {
        self.right.link()
    }

    pub(super) fn sent_again(self, retries: u32) -> Self {
        Self { retries, ..self }
    }

    /// The body must come within `time`.
    pub(super) fn within(self, time: Option<TotalTime>) -> Self {
        Self { time, ..self }
    }

    /// The fields after a chunked body, once it was read to its end. They are never merged into the head's.
    pub fn trailers(&self) -> Option<Fields> {
        self.right.link().lock().state.asking()?.trailers().cloned()
    }

    /// Sets the pace that the server must keep with this body, instead of
    /// [`HttpLimits::response_pace`](crate::http::HttpLimits::response_pace). One client may need it for a download that must
    /// be quick and for an event stream that may be silent.
    pub fn set_pace(&mut self, pace: Pace) {
        self.right.link().lock().set_body_pace(pace);
    }

    /// Reads the next piece of the body; `None` at its end.
    ///
    /// # Errors
    ///
    /// The body is incomplete: the server broke the protocol, ended the stream within the body, or met a limit; or the
    /// connection has ended. Everything that came before was returned.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a piece that was not returned is returned by the next call.
    pub fn read(&mut self) -> ReadResponse<'_> {
        ReadResponse { response: self, waits: Waits::No }
    }

    /// Reads the rest of the body, which may be at most `limit` bytes. A body that is announced to be larger fails at
    /// once.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read), or the body is larger than `limit`.
    ///
    /// # Cancel safety
    ///
    /// **Not** cancel safe: the bytes read so far are in the future.
    pub fn read_all(&mut self, limit: usize) -> ReadAll<ReadResponse<'_>> {
        ReadAll::new(self.read(), limit)
    }

    /// Reads the rest of the body, which may be at most `limit` bytes, as text in UTF-8.
    ///
    /// # Errors
    ///
    /// Those of [`read_all`](Self::read_all), or the body is not UTF-8, whatever encoding its Content-Type names.
    ///
    /// # Cancel safety
    ///
    /// **Not** cancel safe: the bytes read so far are in the future.
    pub async fn text(&mut self, limit: usize) -> Result<String, TextError> {
        let body = self.read_all(limit).await?;
        String::from_utf8(body.into()).map_err(|error| TextError::NotUtf8(error.into_bytes().into()))
    }

    /// Returns the connection for another request. `None` if it is closed: either side announced that, or the exchange
    /// is incomplete.
    ///
    /// The unread rest of the body is discarded, if it is at most
    /// [`HttpLimits::drain_bytes`](crate::http::HttpLimits::drain_bytes). This waits for a request that is still being written
    /// in another task.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the response.
    pub fn finish(self) -> Finish {
        let bound = self.right.link().shared.settings.http.drain_bytes;
        let until = self.given_out.saturating_add(bound);
        Finish { response: Once::new(self), until }
    }

    fn poll_received(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Incomplete>> {
        let mut polled = self.right.link().lock().poll_response_body(cx);
        if let (Poll::Pending, Some(time)) = (&polled, &mut self.time) {
            // Timers drop wakers, which no lock may be held for.
            if time.poll_over(cx).is_ready() {
                polled = Poll::Ready(Err(Ended::limit(time.exceeded())));
            }
        }
        Poll::Ready(match ready!(polled) {
            Ok(piece) => {
                let len = piece.as_ref().map_or(0, Bytes::len);
                self.given_out = self.given_out.saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
                Ok(piece)
            }
            Err(ended) => Err(self.incomplete(ended)),
        })
    }

    /// The bytes still to be read, if known.
    fn rest(&self) -> Option<u64> {
        let rest = u64::try_from(self.held.rest.len()).unwrap_or(u64::MAX);
        Some(self.right.link().lock().responding()?.remaining()?.saturating_add(rest))
    }

    fn too_large(&self, limit: usize) -> Incomplete {
        let bound = Bound::Bytes(u64::try_from(limit).unwrap_or(u64::MAX));
        self.incomplete(Ended::limit(Exceeded { limit: Limit::BodyBytes, bound }))
    }

    fn incomplete(&self, ended: Ended) -> Incomplete {
        Incomplete { received: self.given_out, announced: self.announced, ended }
    }
}

impl Source for ResponseReader {
    type Error = Incomplete;

    fn held(&mut self) -> &mut Held {
        &mut self.held
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Incomplete>> {
        self.poll_received(cx)
    }

    #[cfg(feature = "http-body")]
    fn remaining(&self) -> Option<u64> {
        self.right.link().lock().responding()?.remaining()
    }

    #[cfg(feature = "http-body")]
    fn is_at_end(&self) -> bool {
        let mut connection = self.right.link().lock();
        let is_done = connection.responding().is_none_or(Calling::is_done);
        is_done && connection.state.asking().is_none_or(|asking| asking.trailers().is_none())
    }

    #[cfg(feature = "http-body")]
    fn trailers(&self) -> Option<Fields> {
        self.trailers()
    }

    #[cfg(feature = "http-body")]
    fn too_many(&self, exceeded: Exceeded) -> Incomplete {
        self.incomplete(Ended::limit(exceeded))
    }
}

/// Whether a task waits for a piece.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waits {
    Yes,
    No,
}

/// Waits for the next piece of a response's body.
#[must_use = "futures do nothing unless polled"]
pub struct ReadResponse<'a> {
    response: &'a mut ResponseReader,
    waits: Waits,
}

impl Future for ReadResponse<'_> {
    type Output = Result<Option<Bytes>, Incomplete>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { response, waits } = self.get_mut();
        let polled = response.poll_piece(cx);
        *waits = if polled.is_pending() { Waits::Yes } else { Waits::No };
        polled
    }
}

impl Drop for ReadResponse<'_> {
    /// Pauses the server's time, since the caller no longer waits.
    fn drop(&mut self) {
        if self.waits == Waits::Yes {
            self.response.right.link().lock().stop_reading_response();
        }
    }
}

impl Pieces for ReadResponse<'_> {
    type Error = Incomplete;

    fn rest(&mut self) -> Option<u64> {
        self.response.rest()
    }

    fn too_large(&mut self, limit: usize) -> Incomplete {
        self.response.too_large(limit)
    }

    fn gathered(&mut self, _: usize) {
        // No listener is short of memory.
    }
}

/// Waits until request and response are complete, and returns the connection: [`ResponseReader::finish`].
#[must_use = "futures do nothing unless polled"]
pub struct Finish {
    response: Once<ResponseReader>,
    until: u64,
}

impl Future for Finish {
    type Output = Option<Connection>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { response: slot, until } = self.get_mut();
        let response = slot.get();
        let is_again = loop {
            let mut connection = response.right.link().lock();
            let is_worth_it = connection.responding().is_some_and(|call| {
                let rest = call.remaining().unwrap_or(0);
                call.is_done() || (!call.is_last() && response.given_out.saturating_add(rest) <= *until)
            });
            if !is_worth_it {
                break false;
            }
            if connection.responding().is_some_and(Calling::is_done) {
                break ready!(connection.poll_again(cx));
            }
            drop(connection);
            match ready!(response.poll_received(cx)) {
                Ok(_) => {}
                Err(_) => break false,
            }
        };
        let response = slot.take();
        Poll::Ready(is_again.then(|| Connection::again(response.right)))
    }
}

macro_rules! opaque_debug {
    ($($name:ty),*) => {
        $(impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })*
    };
}

opaque_debug!(ReadResponse<'_>, Finish);

impl fmt::Debug for ResponseReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseReader").field("head", &self.head).finish_non_exhaustive()
    }
}
