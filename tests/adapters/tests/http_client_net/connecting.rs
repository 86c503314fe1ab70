//! Connecting: every address of a name, within a time.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use endwell::client::{Connection, Origin, Url};
use endwell::http::{Method, Request, StatusCode};
use endwell::{Address, ClientConfig, Connector, Exchange, Info, ServerConfig};

use crate::dialling::{Dialling, get, run};
use crate::support::server::start_on;
use crate::support::{on_every_runtime, start};

on_every_runtime!(a_name_with_several_addresses, a_zone, nobody_is_there, no_such_name, nobody_answers);

/// `localhost` may have an address that nobody listens on: the other one is tried.
fn a_name_with_several_addresses<R: Dialling>() {
    let server =
        start::<R, _, _>(|exchange: Exchange| async move { exchange.respond(StatusCode::OK, "here") });
    run::<R, _>(async {
        let port = server.address.port();
        let connection =
            Connection::connect(&R::CONNECTOR, &Origin::http("localhost", port), &ClientConfig::default())
                .await
                .unwrap();
        assert_eq!(*connection.peer_address(), Address::Tcp(server.address));
        let Address::Tcp(local) = *connection.local_address() else { panic!() };
        assert!(local.ip().is_loopback() && local.port() != port);
        let mut received = connection.send(&get("/"), "").await.unwrap();
        assert_eq!(received.read_all(4).await.unwrap(), "here");
    });
}

/// RFC 6874: the zone is for the system, and the server is not told it. That of the loopback device leads to it, and that of
/// a device that is not there leads nowhere.
fn a_zone<R: Dialling>() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else {
        println!("skipped: there is no IPv6");
        return;
    };
    let server = start_on::<R, _, _>(listener, ServerConfig::default(), |exchange: Exchange| async move {
        let host = exchange.fields().get("host").unwrap_or_default().to_vec();
        exchange.respond(StatusCode::OK, host)
    });
    let port = server.address.port();
    let url = |zone: &str| Url::parse(&format!("http://[::1%25{zone}]:{port}/")).unwrap();
    let index = loopback_index();
    run::<R, _>(async {
        let url = url(&index);
        let connection =
            Connection::connect(&R::CONNECTOR, &url.origin(), &ClientConfig::default()).await.unwrap();
        let head = Request::new(Method::Get, url.authority(), url.target()).unwrap();
        let mut received = connection.send(&head, "").await.unwrap();
        assert_eq!(received.read_all(40).await.unwrap(), format!("[::1]:{port}"));
    });
    run::<R, _>(async {
        assert!(
            Connection::connect(&R::CONNECTOR, &url("none-such").origin(), &ClientConfig::default())
                .await
                .is_err()
        );
    });
}

/// Devices have numbers, which are zones too.
fn loopback_index() -> String {
    let index = std::fs::read_to_string("/sys/class/net/lo/ifindex");
    index.map_or_else(|_| "1".to_owned(), |index| index.trim().to_owned())
}

fn nobody_is_there<R: Dialling>() {
    let port = free_port();
    run::<R, _>(async {
        let error =
            Connection::connect(&R::CONNECTOR, &Origin::http("127.0.0.1", port), &ClientConfig::default())
                .await
                .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{error}");
    });
}

fn no_such_name<R: Dialling>() {
    run::<R, _>(async {
        let origin = Origin::http("a name with spaces.invalid", 80);
        let error = Connection::connect(&R::CONNECTOR, &origin, &ClientConfig::default()).await.unwrap_err();
        // Whoever asked for the name says why, not whoever was left without an address.
        assert_ne!(error.kind(), ErrorKind::NotFound, "{error}");
    });
}

/// A connector of a runtime's, whose connections never come about.
struct Silent<C>(C);

impl<C: Connector> Connector for Silent<C> {
    type Transport = C::Transport;
    type Runtime = C::Runtime;

    async fn connect(&self, _: &Origin) -> std::io::Result<(C::Transport, Info)> {
        std::future::pending().await
    }

    fn runtime(&self) -> C::Runtime {
        self.0.runtime()
    }
}

fn nobody_answers<R: Dialling>() {
    let mut config = ClientConfig::default();
    config.connect_time = Duration::from_millis(100);
    run::<R, _>(async {
        let error =
            Connection::connect(&Silent(R::CONNECTOR), &Origin::http("a", 80), &config).await.unwrap_err();
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
