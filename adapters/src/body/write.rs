//! Writes a body that is sent, in both roles.

use std::fmt;
#[cfg(any(feature = "tokio", feature = "futures-io"))]
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use endwell_core::http::NotWritten;

use crate::Ended;
use crate::connection::{Link, Side, Until};

/// The size up to which a piece counts as small: waiting for less room would split large data into many chunks.
const CHUNK: usize = 4000;

/// Room beside the data: more than the line of a chunk, and no more than the smallest outbox has beside a large piece.
const FRAMING: usize = 96;

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

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Ended(ended) => ended.source(),
            Self::Overrun(_) => None,
        }
    }
}

impl From<WriteError> for Ended {
    /// An overrun is an abort: the announced length cannot be met.
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Ended(ended) => ended,
            WriteError::Overrun(_) => Self::ABORTED,
        }
    }
}

/// Queues a piece of a body as there is room for it.
#[must_use = "futures do nothing unless polled"]
pub struct Write<'a> {
    link: &'a Link,
    /// What goes first.
    waiting: &'a mut Bytes,
    rest: Bytes,
}

impl<'a> Write<'a> {
    /// `link` is lent by the right to write. `waiting` goes first.
    pub(crate) fn new(link: &'a Link, waiting: &'a mut Bytes, rest: Bytes) -> Self {
        Self { link, waiting, rest }
    }

    /// The part of the data that was not queued.
    pub fn into_rest(self) -> Bytes {
        self.rest
    }
}

impl Future for Write<'_> {
    type Output = Result<(), WriteError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { link, waiting, rest } = self.get_mut();
        ready!(poll_queue(link, waiting, cx))?;
        poll_queue(link, rest, cx)
    }
}

/// Queues `rest` as there is room for it.
pub(crate) fn poll_queue(
    link: &Link,
    rest: &mut Bytes,
    cx: &mut Context<'_>,
) -> Poll<Result<(), WriteError>> {
    let mut connection = link.lock();
    while !rest.is_empty() {
        let over = |ended| Poll::Ready(Err(WriteError::Ended(ended)));
        if let Some(ended) = connection.write_error() {
            return over(ended.clone());
        }
        let Some(writer) = connection.state.writer() else { return over(Ended::ABORTED) };
        let len = u64::try_from(rest.len()).unwrap_or(u64::MAX);
        if writer.remaining().is_some_and(|left| left < len) {
            return Poll::Ready(Err(WriteError::Overrun(std::mem::take(rest))));
        }
        ready!(connection.poll_output(cx, Side::Writer, Until::Room(CHUNK.min(rest.len()) + FRAMING)))
            .map_err(WriteError::Ended)?;
        let Some(mut writer) = connection.state.writer() else { continue };
        let piece = rest.split_to(rest.len().min(writer.room()));
        match writer.write(piece) {
            Ok(()) => {}
            Err(NotWritten::Overrun(piece) | NotWritten::Full(piece)) => {
                return Poll::Ready(Err(WriteError::Overrun(piece)));
            }
        }
    }
    connection.leave_to_driver();
    Poll::Ready(Ok(()))
}

/// Queues what there is room for of the first slice that is not empty, by copy, and returns how much that was. `waiting`
/// goes first. Data that exceeds the announced length is refused whole.
#[cfg(any(feature = "tokio", feature = "futures-io"))]
pub(crate) fn poll_copy(
    (link, waiting): (&Link, &mut Bytes),
    cx: &mut Context<'_>,
    slices: &[IoSlice<'_>],
) -> Poll<Result<usize, WriteError>> {
    ready!(poll_queue(link, waiting, cx))?;
    let Some(data) = slices.iter().find(|slice| !slice.is_empty()) else { return Poll::Ready(Ok(0)) };
    let mut connection = link.lock();
    loop {
        if let Some(ended) = connection.write_error() {
            return Poll::Ready(Err(WriteError::Ended(ended.clone())));
        }
        let Some(writer) = connection.state.writer() else {
            return Poll::Ready(Err(WriteError::Ended(Ended::ABORTED)));
        };
        let len = u64::try_from(data.len()).unwrap_or(u64::MAX);
        if writer.remaining().is_some_and(|left| left < len) {
            return Poll::Ready(Err(WriteError::Overrun(Bytes::copy_from_slice(data))));
        }
        ready!(connection.poll_output(cx, Side::Writer, Until::Room(CHUNK.min(data.len()) + FRAMING)))
            .map_err(WriteError::Ended)?;
        let copied = connection.state.writer().map_or(0, |mut writer| writer.copy(data));
        if copied > 0 {
            connection.leave_to_driver();
            return Poll::Ready(Ok(copied));
        }
    }
}

/// Waits until more of a body can be written, or all of it is.
#[must_use = "futures do nothing unless polled"]
pub struct Ready<'a> {
    link: &'a Link,
    until: Until,
}

impl<'a> Ready<'a> {
    /// Waits until a small piece can be written.
    pub(crate) fn for_a_piece(link: &'a Link) -> Self {
        Self { link, until: Until::Room(CHUNK) }
    }

    /// Waits until the transport has taken everything.
    pub(crate) fn flushed(link: &'a Link) -> Self {
        Self { link, until: Until::Flushed }
    }
}

impl Future for Ready<'_> {
    type Output = Result<(), Ended>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.link.lock().poll_output(cx, Side::Writer, self.until)
    }
}

impl fmt::Debug for Write<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Write({} bytes)", self.rest.len())
    }
}

impl fmt::Debug for Ready<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready").finish_non_exhaustive()
    }
}
