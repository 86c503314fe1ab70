//! Bodies with the traits of futures: received ones as streams, and those to send as sinks.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::{FusedStream, Stream};
use futures_sink::Sink;

use super::source::Source;
use super::{RequestReader, ResponseWriter, WriteError};
use crate::client::{Incomplete, RequestWriter, ResponseReader};
use crate::{Ended, Ready};

macro_rules! stream {
    ($body:ty, $error:ty) => {
        /// The pieces of the body. A body that was cut off ends with an error.
        impl Stream for $body {
            type Item = Result<Bytes, $error>;

            fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
                self.get_mut().poll_item(cx)
            }
        }

        impl FusedStream for $body {
            fn is_terminated(&self) -> bool {
                self.held.is_over
            }
        }
    };
}

stream!(RequestReader, Ended);
stream!(ResponseReader, Incomplete);

macro_rules! sink {
    ($body:ty) => {
        /// Flushing waits until the transport has taken all pieces, and closing does the same: only
        #[doc = concat!("[`finish`](", stringify!($body), "::finish) ends the body.")]
        ///
        /// A body with a piece that was neither flushed nor followed by another one cannot be finished: it is aborted.
        impl Sink<Bytes> for $body {
            type Error = WriteError;

            fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WriteError>> {
                let (link, waiting) = self.get_mut().queue();
                ready!(super::poll_queue(link, waiting, cx))?;
                Pin::new(&mut Ready::for_a_piece(link)).poll(cx).map_err(WriteError::Ended)
            }

            fn start_send(self: Pin<&mut Self>, piece: Bytes) -> Result<(), WriteError> {
                // Queued when the sink is polled next: only then is there a task to wake if it has no room.
                *self.get_mut().queue().1 = piece;
                Ok(())
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WriteError>> {
                let (link, waiting) = self.get_mut().queue();
                ready!(super::poll_queue(link, waiting, cx))?;
                Pin::new(&mut Ready::flushed(link)).poll(cx).map_err(WriteError::Ended)
            }

            fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WriteError>> {
                self.poll_flush(cx)
            }
        }
    };
}

sink!(ResponseWriter);
sink!(RequestWriter);
