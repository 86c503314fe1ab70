//! Recipes of what a service needs in production.

use std::collections::HashSet;
use std::time::Duration;

use endwell::client::{Connection, Origin};
use endwell::http::{Method, Request};
use endwell::tls::{SharedServerConfig, TlsConnector};
use endwell::{ClientConfig, tokio::Tcp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::authority::{Authority, authority, identity};
use crate::{behind_a_proxy, get, mutual_tls, shutdown, start, thread_per_core};

/// A request that has begun on each listener is answered, and one that is too slow is named.
#[tokio::test]
async fn an_orderly_shutdown() {
    for (time, late) in [(20_000, 0), (10, 2)] {
        let listeners = [TcpListener::bind("127.0.0.1:0").await, TcpListener::bind("127.0.0.1:0").await];
        let listeners = listeners.map(Result::unwrap);
        let addresses = [&listeners[0], &listeners[1]].map(|listener| listener.local_addr().unwrap());
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let server = tokio::spawn(shutdown::run(listeners, stopped, Duration::from_millis(time)));
        let mut clients = Vec::new();
        for address in addresses {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
            let mut text = String::new();
            while !text.ends_with("working\r\n") {
                let mut piece = [0; 1000];
                let len = client.read(&mut piece).await.unwrap();
                text += std::str::from_utf8(&piece[..len]).unwrap();
            }
            clients.push(client);
        }
        let _ = stop.send(());
        let report = server.await.unwrap();
        assert_eq!(report.late.len(), late, "{report}");
        for mut client in clients {
            let mut rest = Vec::new();
            let end = client.read_to_end(&mut rest).await;
            assert_eq!(end.is_ok() && rest.ends_with(b", done\r\n0\r\n\r\n"), late == 0);
        }
    }
}

/// The handler sees the client's certificate; another authority's is refused.
#[tokio::test]
async fn certificates_of_clients() {
    let clients = Authority::new("clients");
    let config = SharedServerConfig::new(identity().mutual_server(&clients));
    let address = start(|listener| mutual_tls::run(listener, config)).await;
    for (signer, expected) in [(&clients, Some("1 certificates")), (&Authority::new("others"), None)] {
        let client = authority().client_with(&signer.sign(&["client"]));
        let connector = TlsConnector::new(Tcp, client);
        let origin = Origin::https("localhost", address.port());
        let connection = Connection::connect(&connector, &origin, &ClientConfig::default()).await.unwrap();
        let request = Request::new(Method::Get, "localhost", "/").unwrap();
        let body = match connection.send(&request, "").await {
            Ok(mut response) => Some(response.read_all(100).await.unwrap()),
            Err(_) => None,
        };
        assert_eq!(body.as_deref(), expected.map(str::as_bytes));
    }
}

/// The handler sees the address that the proxy tells.
#[tokio::test]
async fn the_address_of_a_client() {
    let address = start(behind_a_proxy::run).await;
    let mut proxy = TcpStream::connect(address).await.unwrap();
    let request =
        "PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\nGET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    proxy.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    proxy.read_to_string(&mut text).await.unwrap();
    assert!(text.ends_with("you are 192.0.2.7:4711"), "{text}");
}

/// Both threads answer: the system chooses by the client's port.
#[tokio::test]
async fn a_thread_for_each_core() {
    let first = thread_per_core::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = first.local_addr().unwrap();
    let listeners = vec![first, thread_per_core::bind(address).unwrap()];
    std::thread::spawn(move || thread_per_core::run(listeners));
    let mut threads = HashSet::new();
    for _ in 0..200 {
        let (status, body) = get(address, "/").await;
        assert_eq!(status.as_u16(), 200);
        threads.insert(body);
    }
    assert_eq!(threads.len(), 2);
}
