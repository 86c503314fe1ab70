//! Shared code of the listeners and connectors over async-io's sockets.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::{self, UnixStream};

use async_io::{Async, Timer};

use crate::client;
use crate::futures_io::Stream;
use crate::transport::{Address, Endpoints, of_one_connection};

/// Connects to one of `addresses`.
pub(crate) async fn to(
    addresses: impl IntoIterator<Item = SocketAddr>,
) -> io::Result<(Stream<Async<TcpStream>>, Endpoints)> {
    let sleep = async |time| {
        Timer::after(time).await;
    };
    let io = client::first(addresses, Async::<TcpStream>::connect, sleep).await?;
    let peer = io.get_ref().peer_addr()?;
    tcp(io, peer)
}

/// Makes the transport of a TCP connection to `peer`.
pub(crate) fn tcp(
    io: Async<TcpStream>,
    peer: SocketAddr,
) -> io::Result<(Stream<Async<TcpStream>>, Endpoints)> {
    let local = Address::Tcp(io.get_ref().local_addr().map_err(of_one_connection)?);
    let stream = Stream::tcp(io).map_err(of_one_connection)?;
    Ok((stream, Endpoints { peer: Address::Tcp(peer), local }))
}

/// Makes the transport of a Unix connection to `peer`.
pub(crate) fn unix(
    io: Async<UnixStream>,
    peer: net::SocketAddr,
) -> io::Result<(Stream<Async<UnixStream>>, Endpoints)> {
    let path = |address: net::SocketAddr| Address::Unix(address.as_pathname().map(Into::into));
    let local = path(io.get_ref().local_addr().map_err(of_one_connection)?);
    let endpoints = Endpoints { peer: path(peer), local };
    Ok((Stream::unix(io), endpoints))
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::OwnedFd;

    use super::*;

    /// A socket that is not TCP has no `TCP_NODELAY`, and one of another family has no TCP address.
    #[test]
    fn what_is_wrong_with_one_connection_is_told_apart() -> io::Result<()> {
        let other = UdpSocket::bind("127.0.0.1:0")?;
        let peer = other.local_addr()?;
        let failed = tcp(Async::new(OwnedFd::from(other).into())?, peer);
        assert_eq!(failed.map(drop).map_err(|error| error.kind()), Err(io::ErrorKind::ConnectionAborted));
        let failed = tcp(Async::new(OwnedFd::from(UnixStream::pair()?.0).into())?, peer);
        assert_eq!(failed.map(drop).map_err(|error| error.kind()), Err(io::ErrorKind::ConnectionAborted));
        Ok(())
    }
}
