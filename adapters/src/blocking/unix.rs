//! Unix sockets.

use std::io;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

use async_io::Async;

use super::Threads;
use crate::sockets::unix;

unix::serve!(Threads, UnixListener => accept);

/// As for TCP.
async fn accept(listener: &UnixListener) -> io::Result<(Async<UnixStream>, SocketAddr)> {
    let (stream, peer) = Async::new(listener)?.read_with(|listener| listener.accept()).await?;
    Ok((Async::new(stream)?, peer))
}
