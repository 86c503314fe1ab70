//! What handlers and clients see of TLS, and certificates of clients.

use std::net::TcpListener;

use endwell::client::Connection;
use endwell::http::StatusCode;
use endwell::tls::rustls::{ClientConfig, ProtocolVersion};
use endwell::tls::{TlsConnector, TlsInfo, TlsListener};
use endwell::{Exchange, ServerConfig};

use crate::authority::{Authority, authority, identity};
use crate::dialling::{Dialling, get, run};
use crate::secure::origin;
use crate::support::server::start_listening;
use crate::support::{Running, on_every_runtime, start, told};

on_every_runtime!(
    a_handler_sees_the_certificate_of_a_client,
    a_client_sees_the_certificate_of_its_server,
    a_client_without_a_certificate_is_refused,
    without_tls_there_are_no_facts,
);

/// Whether the connection is secure, and what is known of it.
type Seen = (bool, Option<TlsInfo>);

/// Tells what it sees of TLS.
fn mutual<R: Dialling>(clients: &Authority) -> (Running, impl Fn() -> Seen) {
    let (tell, seen) = told();
    let config = identity().mutual_server(clients);
    let listen = move |socket| TlsListener::new(R::listen(socket), config);
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let server =
        start_listening::<R, _, _, _>(socket, listen, ServerConfig::default(), move |exchange: Exchange| {
            tell.send((exchange.is_secure(), exchange.info::<TlsInfo>().cloned())).unwrap();
            async move { exchange.respond(StatusCode::OK, "ok") }
        });
    (server, move || seen.next())
}

async fn dial<R: Dialling>(server: &Running, config: ClientConfig) -> std::io::Result<Connection> {
    Connection::connect(
        &TlsConnector::new(R::CONNECTOR, config),
        &origin(server.address),
        &endwell::ClientConfig::default(),
    )
    .await
}

/// From the first exchange on, and in every other.
fn a_handler_sees_the_certificate_of_a_client<R: Dialling>() {
    let clients = Authority::new("clients");
    let client = clients.sign(&["client"]);
    let (server, seen) = mutual::<R>(&clients);
    run::<R, _>(async {
        let mut connection = dial::<R>(&server, authority().client_with(&client)).await.unwrap();
        for _ in 0..2 {
            let mut received = connection.send(&get("/"), "").await.unwrap();
            assert_eq!(received.read_all(10).await.unwrap(), "ok");
            connection = received.finish().await.unwrap();
            let (is_secure, tls) = seen();
            let tls = tls.unwrap();
            assert!(is_secure);
            assert_eq!(tls.peer_certificates, [client.der()]);
            assert_eq!((tls.server_name.as_deref(), tls.alpn), (Some("localhost"), Some("http/1.1")));
            assert_eq!(tls.version, ProtocolVersion::TLSv1_3);
            assert!(format!("{:?}", tls.cipher_suite).starts_with("TLS13_"), "{:?}", tls.cipher_suite);
        }
    });
}

fn a_client_sees_the_certificate_of_its_server<R: Dialling>() {
    let clients = Authority::new("clients");
    let (server, _) = mutual::<R>(&clients);
    run::<R, _>(async {
        let config = authority().client_with(&clients.sign(&["client"]));
        let connection = dial::<R>(&server, config).await.unwrap();
        let tls = connection.info::<TlsInfo>().unwrap();
        assert!(connection.is_secure());
        assert_eq!(tls.peer_certificates, [identity().der()]);
        assert_eq!((tls.server_name.as_deref(), tls.alpn), (None, Some("http/1.1")));
    });
}

/// With TLS 1.3 the client's handshake ends before the server has judged: the refusal is what it reads.
fn a_client_without_a_certificate_is_refused<R: Dialling>() {
    let (server, _) = mutual::<R>(&Authority::new("clients"));
    run::<R, _>(async {
        for config in [authority().client(), authority().client_with(&Authority::new("x").sign(&["x"]))] {
            let connection = dial::<R>(&server, config).await.unwrap();
            connection.send(&get("/"), "").await.unwrap_err();
            let ended = server.next_end();
            assert_eq!(ended.io_error().unwrap().kind(), std::io::ErrorKind::InvalidData, "{ended}");
        }
    });
    assert_eq!(server.counters.exchanges(), 0);
}

fn without_tls_there_are_no_facts<R: Dialling>() {
    let (tell, seen) = told();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        tell.send(exchange.is_secure() || exchange.info::<TlsInfo>().is_some()).unwrap();
        async move { exchange.respond(StatusCode::OK, "ok") }
    });
    server.connect().send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assert!(!seen.next());
}
