//! The runtimes with TLS.

use std::marker::PhantomData;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use endwell::ClientConfig;
use endwell::client::{Connection, Origin};
use endwell::tls::{TlsConnector, TlsListener};

use crate::authority::{authority, identity};
use crate::dialling::Dialling;
use crate::support::Runtime;

/// A runtime whose servers speak TLS, and have these bounds for handshakes.
pub(crate) struct Secure<R, const AT_ONCE: usize = 1024, const MILLISECONDS: u64 = 10_000>(PhantomData<R>);

impl<R: Runtime, const AT_ONCE: usize, const MILLISECONDS: u64> Runtime for Secure<R, AT_ONCE, MILLISECONDS> {
    type Listener = TlsListener<R::Listener>;
    const NAME: &'static str = R::NAME;

    fn run<F: Future>(future: F) -> F::Output {
        R::run(future)
    }

    fn listen(socket: TcpListener) -> Self::Listener {
        TlsListener::new(R::listen(socket), identity().server())
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
pub(crate) fn connector<R: Dialling>() -> TlsConnector<R::Connector> {
    TlsConnector::new(R::CONNECTOR, authority().client())
}

/// Where a server is.
pub(crate) fn origin(address: SocketAddr) -> Origin {
    Origin::https("localhost", address.port())
}

/// Connects with the usual bounds.
pub(crate) async fn dial<R: Dialling>(address: SocketAddr) -> Connection {
    Connection::connect(&connector::<R>(), &origin(address), &ClientConfig::default()).await.unwrap()
}
