//! tokio: its listeners, and a transport made from any `AsyncRead + AsyncWrite`.

mod stream;
mod timer;

use std::io;

use ::tokio::net::{self, TcpListener, TcpStream};

use crate::client::{self, Origin};
use crate::info::{Address, Info};
use crate::runtime::Runtime;
use crate::transport::{Connector, Listener};
pub use stream::Stream;
use stream::tcp;
pub use timer::TokioTimer;

/// The runtime of tokio, of either kind, with its timer enabled. Everything is used within it, as is usual there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokio;

impl Runtime for Tokio {
    type Timer = TokioTimer;

    fn timer(&self) -> TokioTimer {
        TokioTimer::new()
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        ::tokio::spawn(task);
        Ok(())
    }
}

impl Listener for TcpListener {
    type Transport = Stream<TcpStream>;
    type Runtime = Tokio;

    async fn accept(&self) -> io::Result<(Self::Transport, Info)> {
        let (stream, peer) = Self::accept(self).await?;
        tcp(stream, peer)
    }

    fn runtime(&self) -> Tokio {
        Tokio
    }

    fn local_address(&self) -> Address {
        self.local_addr().map_or(Address::Unknown, Address::Tcp)
    }
}

/// A connector for TCP, on tokio.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

impl Connector for Tcp {
    type Transport = Stream<TcpStream>;
    type Runtime = Tokio;

    async fn connect(&self, origin: &Origin) -> io::Result<(Self::Transport, Info)> {
        let addresses = net::lookup_host(origin.plain()?).await?;
        let stream = client::first(addresses, TcpStream::connect, |time| Tokio.sleep(time)).await?;
        let peer = stream.peer_addr()?;
        tcp(stream, peer)
    }

    fn runtime(&self) -> Tokio {
        Tokio
    }
}
