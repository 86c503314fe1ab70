//! Connecting: every address of a name, within a time.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use endwell::client::{Origin, connect};
use endwell::http::StatusCode;
use endwell::{Address, Config, Connector, Endpoints, Exchange};

use crate::dialling::{Dialling, get, run};
use crate::support::{on_every_runtime, start};

on_every_runtime!(a_name_with_several_addresses, nobody_is_there, no_such_name, nobody_answers);

/// `localhost` may have an address that nobody listens on: the other one is tried.
fn a_name_with_several_addresses<R: Dialling>() {
    let server =
        start::<R, _, _>(|exchange: Exchange| async move { exchange.respond(StatusCode::OK, "here") });
    run::<R, _>(async {
        let port = server.address.port();
        let connection =
            connect(&R::CONNECTOR, &Origin::http("localhost", port), &Config::default()).await.unwrap();
        assert_eq!(*connection.peer_address(), Address::Tcp(server.address));
        let Address::Tcp(local) = *connection.local_address() else { panic!() };
        assert!(local.ip().is_loopback() && local.port() != port);
        let mut received = connection.send(&get("/"), "").await.unwrap();
        assert_eq!(received.read_all(4).await.unwrap(), "here");
    });
}

fn nobody_is_there<R: Dialling>() {
    let port = free_port();
    run::<R, _>(async {
        let error =
            connect(&R::CONNECTOR, &Origin::http("127.0.0.1", port), &Config::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{error}");
    });
}

fn no_such_name<R: Dialling>() {
    run::<R, _>(async {
        let origin = Origin::http("a name with spaces.invalid", 80);
        let error = connect(&R::CONNECTOR, &origin, &Config::default()).await.unwrap_err();
        // Whoever asked for the name says why, not whoever was left without an address.
        assert_ne!(error.kind(), ErrorKind::NotFound, "{error}");
    });
}

/// A connector of a runtime's, whose connections never come about.
struct Silent<C>(C);

impl<C: Connector> Connector for Silent<C> {
    type Transport = C::Transport;

    async fn connect(&self, _: &Origin) -> std::io::Result<(C::Transport, Endpoints)> {
        std::future::pending().await
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
        self.0.spawn(task)
    }

    async fn sleep(duration: Duration) {
        C::sleep(duration).await;
    }
}

fn nobody_answers<R: Dialling>() {
    let mut config = Config::default();
    config.connect_time = Duration::from_millis(100);
    run::<R, _>(async {
        let error = connect(&Silent(R::CONNECTOR), &Origin::http("a", 80), &config).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    });
}

/// A port that nobody listens on. It stays bound, so that nobody else takes it.
pub(crate) fn free_port() -> u16 {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let listener: TcpListener = socket.into();
    let port = listener.local_addr().unwrap().port();
    std::mem::forget(listener);
    port
}
