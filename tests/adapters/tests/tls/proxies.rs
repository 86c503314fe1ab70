//! TLS through a proxy, and to one.

use std::io::{Read, Write};
use std::net::TcpStream;

use endwell::client::proxy::{Proxied, Proxies, Proxy};
use endwell::client::{Connection, Origin};
use endwell::{ClientConfig, Connector, tls};

use crate::authority::{authority, identity};
use crate::dialling::{Dialling, get, run};
use crate::peer::{Peer, once, once_plain};
use crate::secure::connector;
use crate::support::on_every_runtime;

on_every_runtime!(tls_through_a_proxy, a_proxy_by_tls);

const OPEN: &str = "HTTP/1.1 200 OK\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

async fn exchange(connection: Connection) {
    let mut received = connection.send(&get("/"), "").await.unwrap();
    assert_eq!(received.read_all(5).await.unwrap(), "hello");
}

fn head(socket: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    String::from_utf8(head).unwrap()
}

/// The certificate is the origin's, and the proxy sees the host and the port.
fn tls_through_a_proxy<R: Dialling>() {
    let proxy = once_plain(|mut socket| {
        assert!(head(&mut socket).starts_with("CONNECT localhost:443 HTTP/1.1\r\n"));
        socket.write_all(OPEN.as_bytes()).unwrap();
        let mut origin = Peer::server(socket, identity().server());
        origin.shake_hands().unwrap();
        assert!(origin.read_until("\r\n\r\n").starts_with("GET / "));
        origin.send(ANSWER);
        origin.close_notify();
    });
    let proxies = Proxies::all(Proxy::parse(&proxy.address.to_string()).unwrap());
    run::<R, _>(async {
        let connector = tls::TlsConnector::new(Proxied::new(R::CONNECTOR, proxies), authority().client());
        let origin = Origin::https("localhost", 443);
        exchange(Connection::connect(&connector, &origin, &ClientConfig::default()).await.unwrap()).await;
    });
}

/// Credentials go to it by TLS, and what is for the origin is inside that.
fn a_proxy_by_tls<R: Dialling>() {
    let proxy = once(|mut proxy| {
        let head = proxy.read_until("\r\n\r\n");
        assert!(head.starts_with("CONNECT a.example:80 HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("\r\nproxy-authorization: Basic dTpw\r\n"), "{head}");
        proxy.send(OPEN);
        assert!(proxy.read_until("\r\n\r\n").starts_with("GET / "));
        proxy.send(ANSWER);
        proxy.close_notify();
    });
    let url = format!("https://u:p@localhost:{}", proxy.address.port());
    let proxies = Proxies::all(Proxy::parse(&url).unwrap());
    run::<R, _>(async {
        let origin = Origin::http("a.example", 80);
        let error = Proxied::new(R::CONNECTOR, proxies.clone()).connect(&origin).await.map(drop).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::Unsupported, "{error}");
        let connector = Proxied::new(connector::<R>(), proxies);
        exchange(Connection::connect(&connector, &origin, &ClientConfig::default()).await.unwrap()).await;
    });
}
