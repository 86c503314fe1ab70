//! The runtimes with TLS.

use std::marker::PhantomData;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use endwell::Config;
use endwell::client::{Connection, Origin, connect};
use endwell::tls::{Connector, Listener};

use crate::authority::{authority, identity};
use crate::dialling::Dialling;
use crate::support::Runtime;

/// A runtime whose servers speak TLS, and have these bounds for handshakes.
pub(crate) struct Secure<R, const AT_ONCE: usize = 1024, const MILLISECONDS: u64 = 10_000>(PhantomData<R>);

impl<R: Runtime, const AT_ONCE: usize, const MILLISECONDS: u64> Runtime for Secure<R, AT_ONCE, MILLISECONDS> {
    type Listener = Listener<R::Listener>;
    const NAME: &'static str = R::NAME;

    fn run<F: Future>(future: F) -> F::Output {
        R::run(future)
    }

    fn listen(socket: TcpListener) -> Self::Listener {
        Listener::new(R::listen(socket), identity().server())
            .handshakes(AT_ONCE)
            .handshake_time(Duration::from_millis(MILLISECONDS))
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        R::spawn(task);
    }

    async fn sleep(duration: Duration) {
        R::sleep(duration).await;
    }
}

/// A connector that trusts the tests' authority.
pub(crate) fn connector<R: Dialling>() -> Connector<R::Connector> {
    Connector::new(R::CONNECTOR, authority().client())
}

/// Where a server is.
pub(crate) fn origin(address: SocketAddr) -> Origin {
    Origin::https("localhost", address.port())
}

/// Connects with the usual bounds.
pub(crate) async fn dial<R: Dialling>(address: SocketAddr) -> Connection {
    connect(&connector::<R>(), &origin(address), &Config::default()).await.unwrap()
}
