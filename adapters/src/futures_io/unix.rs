//! Unix sockets.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::task::Poll;

use async_io::Async;

use super::{Socket, Stream};

impl Stream<Async<UnixStream>> {
    /// Makes a transport from a Unix connection. Unix sockets have no reset.
    pub fn unix(io: Async<UnixStream>) -> Self {
        Self::over(
            io,
            &Socket {
                end_write: |io, _| Poll::Ready(io.as_ref().get_ref().get_ref().shutdown(Shutdown::Write)),
                reset: |_| {},
                unacknowledged: |_| None,
                error: |io| io.get_ref().take_error().unwrap_or(None),
            },
        )
    }
}

/// Takes a Unix connection of the standard library. It becomes non-blocking.
impl TryFrom<UnixStream> for Stream<Async<UnixStream>> {
    type Error = io::Error;

    fn try_from(io: UnixStream) -> io::Result<Self> {
        Ok(Self::unix(Async::new(io)?))
    }
}
