//! Unix sockets.

use std::io;
use std::os::unix::net;

use ::async_std::os::unix::net::{UnixListener, UnixStream};
use async_io::Async;

use super::AsyncStd;
use crate::futures_io::Stream;
use crate::sockets::unix;

unix::serve!(AsyncStd, UnixListener => accept);

async fn accept(listener: &UnixListener) -> io::Result<(Async<net::UnixStream>, net::SocketAddr)> {
    let (stream, peer) = listener.accept().await?;
    Ok((unwrap(stream)?, peer))
}

/// As for TCP.
fn unwrap(stream: UnixStream) -> io::Result<Async<net::UnixStream>> {
    Async::new(net::UnixStream::try_from(stream)?)
}

/// Takes a Unix connection of async-std. Fails if it has clones.
impl TryFrom<UnixStream> for Stream<Async<net::UnixStream>> {
    type Error = io::Error;

    fn try_from(stream: UnixStream) -> io::Result<Self> {
        Ok(Self::unix(unwrap(stream)?))
    }
}
