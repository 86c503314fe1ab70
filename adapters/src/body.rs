//! Reads and writes bodies on a real connection.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use endwell_core::Pace;
use endwell_core::http::{FieldSection, Fields, NotWritten};

use crate::Ended;
use crate::conclusion::Answered;
use crate::news::{Gone, HalfClosed};
use crate::wire::{Link, Side, Until};

/// The body of a request whose response has started.
///
/// It can be read on after the response is finished: the next request waits until it was read to its end or is dropped.
/// What is not read is discarded then, up to [`Limits::drain_bytes`](endwell_core::http::Limits::drain_bytes).
#[derive(Debug)]
pub struct RequestBody {
    link: Arc<Link>,
    /// The number of the exchange: the connection may be at a later one by now.
    number: u64,
}

impl RequestBody {
    pub(crate) fn new(link: Arc<Link>, number: u64) -> Self {
        Self { link, number }
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
    pub fn read(&mut self) -> Read<'_> {
        Read::new(&self.link, self.number)
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

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.link.lock().drop_body(self.number);
    }
}

/// Waits for the next piece of a body.
#[must_use = "futures do nothing unless polled"]
pub struct Read<'a> {
    link: &'a Link,
    number: u64,
    waits: bool,
}

impl<'a> Read<'a> {
    pub(crate) fn new(link: &'a Link, number: u64) -> Self {
        Self { link, number, waits: false }
    }
}

impl Future for Read<'_> {
    type Output = Result<Option<Bytes>, Ended>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { link, number, waits } = self.get_mut();
        let polled = link.lock().poll_body(cx, *number);
        *waits = polled.is_pending();
        polled
    }
}

impl Drop for Read<'_> {
    /// Pauses the peer's time, since the caller no longer waits.
    fn drop(&mut self) {
        if self.waits {
            self.link.lock().stop_reading(self.number);
        }
    }
}

/// Waits for the whole body.
#[must_use = "futures do nothing unless polled"]
pub struct ReadAll<'a> {
    read: Read<'a>,
    limit: usize,
    first: Bytes,
    all: BytesMut,
    /// The connection counts what was gathered.
    counts: bool,
}

impl<'a> ReadAll<'a> {
    pub(crate) fn new(read: Read<'a>, limit: usize) -> Self {
        Self { read, limit, first: Bytes::new(), all: BytesMut::new(), counts: false }
    }
}

impl Future for ReadAll<'_> {
    type Output = Result<Bytes, Ended>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { read, limit, first, all, counts } = self.get_mut();
        if first.is_empty() && all.is_empty() {
            // A client that waits for 100 Continue is not asked to send a body that is too large.
            let mut wire = read.link.lock();
            let bound = u64::try_from(*limit).unwrap_or(u64::MAX);
            if wire.rest_of_body(read.number).is_some_and(|rest| rest > bound) {
                return Poll::Ready(Err(wire.too_large(*limit)));
            }
        }
        loop {
            let polled = Pin::new(&mut *read).poll(cx);
            let gathered = first.len() + all.capacity();
            if polled.is_pending() && gathered > 0 {
                *counts = true;
                read.link.lock().gathers(read.number, gathered);
            }
            let Some(piece) = ready!(polled)? else {
                return Poll::Ready(Ok(if all.is_empty() {
                    std::mem::take(first)
                } else {
                    std::mem::take(all).freeze()
                }));
            };
            if first.len() + all.len() + piece.len() > *limit {
                return Poll::Ready(Err(read.link.lock().too_large(*limit)));
            }
            // A body in one piece, as most are, is not copied.
            if first.is_empty() && all.is_empty() {
                *first = piece;
            } else {
                all.extend_from_slice(&std::mem::take(first));
                all.extend_from_slice(&piece);
            }
        }
    }
}

impl Drop for ReadAll<'_> {
    /// What was gathered is the caller's, or gone.
    fn drop(&mut self) {
        if self.counts {
            self.read.link.lock().gathers(self.read.number, 0);
        }
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
/// # async fn f(mut body: endwell::ResponseBody) {
/// let answered = body.finish();
/// body.write("more").await;
/// # }
/// ```
#[must_use = "a body that is dropped is aborted"]
pub struct ResponseBody {
    link: Arc<Link>,
    number: u64,
    /// Nothing has used it up.
    is_open: bool,
}

impl ResponseBody {
    pub(crate) fn new(link: Arc<Link>, number: u64) -> Self {
        Self { link, number, is_open: true }
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
        Write { body: self, rest: data.into() }
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
        Ready { body: self, until: Until::Room(CHUNK) }
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
        Ready { body: self, until: Until::Flushed }
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
        Ended::Aborted
    }

    fn end(mut self, trailers: Option<&FieldSection>) -> Result<Answered, Ended> {
        self.is_open = false;
        self.link.lock().finish(&self.link, trailers).map(|()| Answered::new())
    }
}

/// The size up to which a piece counts as small: waiting for less room would split large data into many chunks.
pub(crate) const CHUNK: usize = 4000;

/// Room beside the data: more than the line of a chunk, and no more than the smallest outbox has beside a large piece.
const FRAMING: usize = 96;

impl Drop for ResponseBody {
    fn drop(&mut self) {
        if self.is_open {
            self.link.lock().abort(&self.link);
        }
    }
}

/// Why data was not written.
#[derive(Clone, Debug)]
pub enum WriteError {
    /// The connection has ended.
    Ended(Ended),
    /// The data exceeds the announced length, and is returned here.
    Overrun(Bytes),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(ended) => ended.fmt(f),
            Self::Overrun(data) => NotWritten::Overrun(data.clone()).fmt(f),
        }
    }
}

impl std::error::Error for WriteError {}

impl From<WriteError> for Ended {
    /// An overrun is an abort: the announced length cannot be met.
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Ended(ended) => ended,
            WriteError::Overrun(_) => Self::Aborted,
        }
    }
}

/// Queues data as there is room for it.
#[must_use = "futures do nothing unless polled"]
pub struct Write<'a> {
    body: &'a mut ResponseBody,
    rest: Bytes,
}

impl Write<'_> {
    /// The part of the data that was not queued.
    pub fn into_rest(self) -> Bytes {
        self.rest
    }
}

impl Future for Write<'_> {
    type Output = Result<(), WriteError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { body, rest } = self.get_mut();
        poll_write(&body.link, rest, cx)
    }
}

/// Queues `rest` as there is room for it, in both roles.
pub(crate) fn poll_write(
    link: &Link,
    rest: &mut Bytes,
    cx: &mut Context<'_>,
) -> Poll<Result<(), WriteError>> {
    let mut wire = link.lock();
    while !rest.is_empty() {
        let over = |ended| Poll::Ready(Err(WriteError::Ended(ended)));
        if let Some(ended) = wire.write_error() {
            return over(ended.clone());
        }
        let Some(writer) = wire.state.writer() else { return over(Ended::Aborted) };
        let len = u64::try_from(rest.len()).unwrap_or(u64::MAX);
        if writer.remaining().is_some_and(|left| left < len) {
            return Poll::Ready(Err(WriteError::Overrun(std::mem::take(rest))));
        }
        ready!(wire.poll_output(cx, Side::Writer, Until::Room(CHUNK.min(rest.len()) + FRAMING)))
            .map_err(WriteError::Ended)?;
        let Some(mut writer) = wire.state.writer() else { continue };
        let piece = rest.split_to(rest.len().min(writer.room()));
        match writer.write(piece) {
            Ok(()) => {}
            Err(NotWritten::Overrun(piece) | NotWritten::Full(piece)) => {
                return Poll::Ready(Err(WriteError::Overrun(piece)));
            }
        }
    }
    wire.leave_to_driver();
    Poll::Ready(Ok(()))
}

/// Waits for the output.
#[must_use = "futures do nothing unless polled"]
pub struct Ready<'a> {
    body: &'a mut ResponseBody,
    until: Until,
}

impl Future for Ready<'_> {
    type Output = Result<(), Ended>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.body.link.lock().poll_output(cx, Side::Writer, self.until)
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

opaque_debug!(Read<'_>, ReadAll<'_>, ResponseBody, Write<'_>, Ready<'_>, Link);
