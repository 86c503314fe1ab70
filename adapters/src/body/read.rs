//! Reads a body that is received, piece by piece or whole.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};

use crate::Ended;
use crate::connection::Link;

/// Waits for the next piece of a request's body.
#[must_use = "futures do nothing unless polled"]
pub struct ReadRequest<'a> {
    link: &'a Link,
    number: u64,
    /// The rest of a piece that was read in part.
    rest: &'a mut Bytes,
    waits: bool,
    /// The connection counts what was gathered.
    counts: bool,
}

impl<'a> ReadRequest<'a> {
    pub(crate) fn new(link: &'a Link, number: u64, rest: &'a mut Bytes) -> Self {
        Self { link, number, rest, waits: false, counts: false }
    }
}

impl Future for ReadRequest<'_> {
    type Output = Result<Option<Bytes>, Ended>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { link, number, rest, waits, .. } = self.get_mut();
        if !rest.is_empty() {
            return Poll::Ready(Ok(Some(std::mem::take(*rest))));
        }
        let polled = link.lock().poll_body(cx, *number);
        *waits = polled.is_pending();
        polled
    }
}

impl Drop for ReadRequest<'_> {
    /// Pauses the peer's time, since the caller no longer waits.
    fn drop(&mut self) {
        if self.waits {
            self.link.lock().stop_reading(self.number);
        }
        if self.counts {
            // What was gathered is the caller's, or gone.
            self.link.lock().gathers(self.number, 0);
        }
    }
}

/// The pieces of a body, in both roles.
#[expect(unnameable_types, reason = "nobody else implements it")]
pub trait Pieces: Future<Output = Result<Option<Bytes>, Self::Error>> + Unpin {
    /// Why the body is not whole.
    type Error;

    /// The bytes still to come, if known.
    fn rest(&mut self) -> Option<u64>;

    /// The body is larger than `limit`.
    fn too_large(&mut self, limit: usize) -> Self::Error;

    /// So many bytes are held outside the connection.
    fn gathered(&mut self, bytes: usize);
}

impl Pieces for ReadRequest<'_> {
    type Error = Ended;

    fn rest(&mut self) -> Option<u64> {
        let rest = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        self.link.lock().rest_of_body(self.number).map(|more| more.saturating_add(rest))
    }

    fn too_large(&mut self, limit: usize) -> Ended {
        self.link.lock().too_large(limit)
    }

    fn gathered(&mut self, bytes: usize) {
        self.counts = true;
        self.link.lock().gathers(self.number, bytes);
    }
}

/// Waits for the whole body, whose pieces `R` waits for.
#[must_use = "futures do nothing unless polled"]
pub struct ReadAll<R> {
    read: R,
    limit: usize,
    first: Bytes,
    all: BytesMut,
}

impl<R> ReadAll<R> {
    pub(crate) fn new(read: R, limit: usize) -> Self {
        Self { read, limit, first: Bytes::new(), all: BytesMut::new() }
    }
}

impl<R: Pieces> Future for ReadAll<R> {
    type Output = Result<Bytes, R::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { read, limit, first, all } = self.get_mut();
        if first.is_empty() && all.is_empty() {
            // A client that waits for 100 Continue is not asked to send a body that is too large.
            let bound = u64::try_from(*limit).unwrap_or(u64::MAX);
            if read.rest().is_some_and(|rest| rest > bound) {
                return Poll::Ready(Err(read.too_large(*limit)));
            }
        }
        loop {
            let polled = Pin::new(&mut *read).poll(cx);
            let gathered = first.len() + all.capacity();
            if polled.is_pending() && gathered > 0 {
                read.gathered(gathered);
            }
            let Some(piece) = ready!(polled)? else {
                return Poll::Ready(Ok(if all.is_empty() {
                    std::mem::take(first)
                } else {
                    std::mem::take(all).freeze()
                }));
            };
            if first.len() + all.len() + piece.len() > *limit {
                return Poll::Ready(Err(read.too_large(*limit)));
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

impl fmt::Debug for ReadRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadRequest").finish_non_exhaustive()
    }
}

impl<R> fmt::Debug for ReadAll<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadAll").field("limit", &self.limit).finish_non_exhaustive()
    }
}
