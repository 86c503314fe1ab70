//! What listeners and connectors over async-io's sockets have in common.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::{self, UnixStream};

use async_io::{Async, Timer};

use crate::client;
use crate::futures_io::Stream;
use crate::transport::{Address, Endpoints};

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

/// A TCP connection to `peer`.
pub(crate) fn tcp(
    io: Async<TcpStream>,
    peer: SocketAddr,
) -> io::Result<(Stream<Async<TcpStream>>, Endpoints)> {
    let local = Address::Tcp(io.get_ref().local_addr()?);
    Ok((Stream::tcp(io)?, Endpoints { peer: Address::Tcp(peer), local }))
}

/// A Unix connection to `peer`.
pub(crate) fn unix(
    io: Async<UnixStream>,
    peer: net::SocketAddr,
) -> io::Result<(Stream<Async<UnixStream>>, Endpoints)> {
    let path = |address: net::SocketAddr| Address::Unix(address.as_pathname().map(Into::into));
    let endpoints = Endpoints { peer: path(peer), local: path(io.get_ref().local_addr()?) };
    Ok((Stream::unix(io), endpoints))
}
