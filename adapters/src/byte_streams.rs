//! The byte streams that applications hold, with the traits of tokio and of futures-io.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::body::Source;
use crate::client::{RequestWriter, ResponseReader};
use crate::upgraded::Upgraded;
use crate::ws::{ByteStream, MessageWriter};
use crate::{Ready, RequestReader, ResponseWriter, body};

macro_rules! async_read {
    ($stream:ty, $read:ident) => {
        #[cfg(feature = "tokio")]
        impl ::tokio::io::AsyncRead for $stream {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut ::tokio::io::ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                let read = self.get_mut().$read(cx, buffer.initialize_unfilled());
                read.map_ok(|len| buffer.advance(len))
            }
        }

        #[cfg(feature = "futures-io")]
        impl ::futures_io::AsyncRead for $stream {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                self.get_mut().$read(cx, buffer)
            }
        }
    };
}

macro_rules! async_write {
    ($stream:ty, $end:ident) => {
        #[cfg(feature = "tokio")]
        impl ::tokio::io::AsyncWrite for $stream {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                data: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.get_mut().poll_write(cx, &[IoSlice::new(data)])
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.get_mut().poll_write(cx, slices)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.get_mut().poll_flush(cx)
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.get_mut().$end(cx)
            }
        }

        #[cfg(feature = "futures-io")]
        impl ::futures_io::AsyncWrite for $stream {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                data: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.get_mut().poll_write(cx, &[IoSlice::new(data)])
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.get_mut().poll_write(cx, slices)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.get_mut().poll_flush(cx)
            }

            fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.get_mut().$end(cx)
            }
        }
    };
}

async_read!(Upgraded, poll_read);
async_write!(Upgraded, poll_end_write);
async_read!(ByteStream, poll_read);
async_write!(ByteStream, poll_end_write);
// `MessageWriter::finish` consumes it, so its end only flushes.
async_write!(MessageWriter<'_>, poll_flush);
async_read!(RequestReader, poll_copy);
async_read!(ResponseReader, poll_copy);
// Likewise.
async_write!(ResponseWriter, poll_flush);
async_write!(RequestWriter, poll_flush);

macro_rules! writer {
    ($writer:ty) => {
        impl $writer {
            fn poll_write(
                &mut self,
                cx: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                body::poll_copy(self.queue(), cx, slices).map_err(io::Error::from)
            }

            fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                let (link, waiting) = self.queue();
                ready!(body::poll_queue(link, waiting, cx))?;
                Pin::new(&mut Ready::flushed(link)).poll(cx).map_err(io::Error::from)
            }
        }
    };
}

writer!(ResponseWriter);
writer!(RequestWriter);
