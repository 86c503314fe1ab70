//! What smol, async-std and threads share: sockets of async-io, and timers on its thread. Each has its own listeners,
//! resolves names in its own way, and runs tasks where it does.

#[cfg(unix)]
pub(crate) mod unix;

use std::io;
use std::net::{SocketAddr, TcpStream};

use async_io::Async;

use crate::client;
use crate::futures_io::Stream;
use crate::info::{Address, Info};
use crate::runtime::Runtime;
use crate::transport::of_one_connection;

/// Implements [`Listener`](crate::Listener) and [`Connector`](crate::Connector) of TCP for a runtime, from a function that
/// accepts and one that resolves.
macro_rules! serve_and_connect {
    ($runtime:ident, $tcp:ty => $accept_tcp:expr, $connector:ty => $resolve:expr) => {
        $crate::sockets::listener!(
            $runtime,
            $tcp,
            std::net::TcpStream,
            $accept_tcp,
            $crate::sockets::tcp,
            $crate::sockets::tcp_address
        );

        impl $crate::Connector for $connector {
            type Transport = $crate::futures_io::Stream<async_io::Async<std::net::TcpStream>>;
            type Runtime = $runtime;

            async fn connect(
                &self,
                origin: &$crate::client::Origin,
            ) -> std::io::Result<(Self::Transport, $crate::Info)> {
                let addresses = $resolve(origin.plain()?).await?;
                $crate::sockets::connect(addresses, &$runtime).await
            }

            fn runtime(&self) -> $runtime {
                $runtime
            }
        }
    };
}

/// Implements [`Listener`](crate::Listener) for one kind of listener.
macro_rules! listener {
    ($runtime:ident, $listener:ty, $socket:ty, $accept:expr, $transport:path, $local:path) => {
        impl $crate::Listener for $listener {
            type Transport = $crate::futures_io::Stream<async_io::Async<$socket>>;
            type Runtime = $runtime;

            async fn accept(&self) -> std::io::Result<(Self::Transport, $crate::Info)> {
                let (io, peer) = $accept(self).await?;
                $transport(io, peer)
            }

            fn runtime(&self) -> $runtime {
                $runtime
            }

            fn local_address(&self) -> $crate::Address {
                $local(self.local_addr())
            }
        }
    };
}

pub(crate) use {listener, serve_and_connect};

/// Connects to one of `addresses`.
pub(crate) async fn connect(
    addresses: impl IntoIterator<Item = SocketAddr>,
    runtime: &impl Runtime,
) -> io::Result<(Stream<Async<TcpStream>>, Info)> {
    let sleep = |time| runtime.sleep(time);
    let io = client::first(addresses, Async::<TcpStream>::connect, sleep).await?;
    let peer = io.get_ref().peer_addr()?;
    tcp(io, peer)
}

/// Makes the transport of a TCP connection to `peer`.
pub(crate) fn tcp(io: Async<TcpStream>, peer: SocketAddr) -> io::Result<(Stream<Async<TcpStream>>, Info)> {
    let local = Address::Tcp(io.get_ref().local_addr().map_err(of_one_connection)?);
    let stream = Stream::tcp(io).map_err(of_one_connection)?;
    Ok((stream, Info::new(Address::Tcp(peer), local)))
}

/// The address of a listener.
pub(crate) fn tcp_address(address: io::Result<SocketAddr>) -> Address {
    address.map_or(Address::Unknown, Address::Tcp)
}

#[cfg(all(test, unix))]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

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
