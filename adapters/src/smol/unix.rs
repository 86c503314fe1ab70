//! Unix sockets.

use std::io;
use std::os::unix::net;
use std::sync::Arc;

use ::smol::net::unix::{UnixListener, UnixStream};
use async_io::Async;

use super::{Smol, sole};
use crate::futures_io::Stream;
use crate::sockets::unix;

unix::serve!(Smol, UnixListener => accept);

async fn accept(listener: &UnixListener) -> io::Result<(Async<net::UnixStream>, net::SocketAddr)> {
    Arc::<Async<net::UnixListener>>::from(listener.clone()).accept().await
}

/// Takes a Unix connection of smol. Fails if it has clones.
impl TryFrom<UnixStream> for Stream<Async<net::UnixStream>> {
    type Error = io::Error;

    fn try_from(stream: UnixStream) -> io::Result<Self> {
        Ok(Self::unix(sole(stream)?))
    }
}
