//! Unix sockets.

use std::io;
use std::os::unix::net::{SocketAddr, UnixStream};

use async_io::Async;

use crate::futures_io::Stream;
use crate::info::{Address, Info};
use crate::transport::of_one_connection;

/// Makes the transport of a Unix connection to `peer`.
pub(crate) fn transport(
    io: Async<UnixStream>,
    peer: SocketAddr,
) -> io::Result<(Stream<Async<UnixStream>>, Info)> {
    let local = path(io.get_ref().local_addr().map_err(of_one_connection)?);
    let info = Info::new(path(peer), local);
    Ok((Stream::unix(io), info))
}

fn path(address: SocketAddr) -> Address {
    Address::Unix(address.as_pathname().map(Into::into))
}

/// The address of a listener.
pub(crate) fn address(address: io::Result<SocketAddr>) -> Address {
    address.map_or(Address::Unknown, path)
}

/// Implements [`Listener`](crate::Listener) of Unix sockets for a runtime, from a function that accepts.
macro_rules! serve {
    ($runtime:ident, $unix:ty => $accept:expr) => {
        $crate::sockets::listener!(
            $runtime,
            $unix,
            std::os::unix::net::UnixStream,
            $accept,
            $crate::sockets::unix::transport,
            $crate::sockets::unix::address
        );
    };
}

pub(crate) use serve;
