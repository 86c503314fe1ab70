//! A received body in the shapes that other libraries take, in both roles.

use std::io;
#[cfg(any(feature = "tokio", feature = "futures-io", feature = "futures"))]
use std::task::ready;
use std::task::{Context, Poll};

#[cfg(any(feature = "tokio", feature = "futures-io"))]
use bytes::Buf;
use bytes::Bytes;
#[cfg(feature = "http-body")]
use endwell_core::Exceeded;
#[cfg(feature = "http-body")]
use endwell_core::http::Fields;

/// What a reader of a body holds between two calls.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// The rest of a piece that was read in part.
    pub(crate) rest: Bytes,
    /// A stream of the pieces has ended, in whatever way.
    #[cfg(any(feature = "futures", feature = "http-body"))]
    pub(crate) is_over: bool,
}

impl Held {
    pub(crate) fn new(rest: Bytes) -> Self {
        Self {
            rest,
            #[cfg(any(feature = "futures", feature = "http-body"))]
            is_over: false,
        }
    }
}

/// A reader of a received body.
pub(crate) trait Source {
    /// Why the body is not whole.
    type Error: Into<io::Error>;

    fn held(&mut self) -> &mut Held;

    /// Waits for the next piece from the connection.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Self::Error>>;

    /// The bytes still to come from the connection, if known.
    #[cfg(feature = "http-body")]
    fn remaining(&self) -> Option<u64>;

    /// True if the body was received to its end, and has no trailers.
    #[cfg(feature = "http-body")]
    fn is_at_end(&self) -> bool;

    #[cfg(feature = "http-body")]
    fn trailers(&self) -> Option<Fields>;

    /// There are more trailers than a map of the `http` crate has room for.
    #[cfg(feature = "http-body")]
    fn too_many(&self, exceeded: Exceeded) -> Self::Error;

    /// Waits for the next piece: what was left of the last one, or another.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Self::Error>> {
        match std::mem::take(&mut self.held().rest) {
            rest if rest.is_empty() => self.poll_more(cx),
            rest => Poll::Ready(Ok(Some(rest))),
        }
    }

    /// Reads into `buffer`. Zero bytes are the end of the body, unless `buffer` is empty.
    #[cfg(any(feature = "tokio", feature = "futures-io"))]
    fn poll_copy(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let Some(mut piece) = ready!(self.poll_piece(cx)).map_err(Into::into)? else {
            return Poll::Ready(Ok(0));
        };
        let len = piece.len().min(buffer.len());
        if let Some(start) = buffer.get_mut(..len) {
            piece.copy_to_slice(start);
        }
        self.held().rest = piece;
        Poll::Ready(Ok(len))
    }

    /// Waits for the next piece; `None` behind the end and behind an error.
    #[cfg(feature = "futures")]
    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.held().is_over {
            return Poll::Ready(None);
        }
        let item = ready!(self.poll_piece(cx)).transpose();
        self.held().is_over = !matches!(item, Some(Ok(_)));
        Poll::Ready(item)
    }
}
