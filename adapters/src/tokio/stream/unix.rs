//! Unix sockets.

use std::io;

use ::tokio::net::unix::SocketAddr;
use ::tokio::net::{UnixListener, UnixStream};
use socket2::SockRef;

use super::{Socket, Stream, peek};
use crate::info::{Address, Info};
use crate::tokio::Tokio;
use crate::transport::{Listener, of_one_connection};

impl Stream<UnixStream> {
    /// Makes a transport from a Unix connection. Unix sockets have no reset.
    pub fn unix(io: UnixStream) -> Self {
        Self::over(
            io,
            &Socket {
                reset: |_| {},
                peek: |io| peek(&SockRef::from(io)),
                unacknowledged: |_| None,
                error: |io| io.take_error().unwrap_or(None),
            },
        )
    }
}

impl Listener for UnixListener {
    type Transport = Stream<UnixStream>;
    type Runtime = Tokio;

    async fn accept(&self) -> io::Result<(Self::Transport, Info)> {
        let (stream, peer) = Self::accept(self).await?;
        let local = path(&stream.local_addr().map_err(of_one_connection)?);
        Ok((Stream::unix(stream), Info::new(path(&peer), local)))
    }

    fn runtime(&self) -> Tokio {
        Tokio
    }

    fn local_address(&self) -> Address {
        self.local_addr().map_or(Address::Unknown, |address| path(&address))
    }
}

fn path(address: &SocketAddr) -> Address {
    Address::Unix(address.as_pathname().map(Into::into))
}
