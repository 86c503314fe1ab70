//! Servers: listeners, the end, and what is known of a client.

use std::net::{Ipv4Addr, SocketAddr};
use std::task::{Context, Waker};
use std::time::Duration;

use endwell::client::{Connection, Origin};
use endwell::http::{Method, Request, StatusCode};
use endwell::tls::{self, TlsInfo};
use endwell::tokio::{Stream, Tcp, Tokio};
use endwell::{Address, Answered, Ended, EndedKind, Exchange, Info, Listener, Server, ServerConfig, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};

use crate::authority::{Authority, authority, identity};

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

async fn hello(exchange: Exchange) -> Answered {
    let text = format!("hello {}", exchange.peer_address());
    exchange.respond(StatusCode::OK, text)
}

/// Sends a request, and reads the response to the end.
async fn ask(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin) -> String {
    stream.write_all(GET).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

fn tcp(address: &Address) -> SocketAddr {
    let Address::Tcp(address) = address else { panic!("{address}") };
    *address
}

#[tokio::test]
async fn two_listeners_with_one_set_of_counters() {
    let server = Server::new(ServerConfig::default(), hello);
    let one = server.listen(TcpListener::bind("127.0.0.1:0").await.unwrap());
    let other = server.listen(TcpListener::bind("127.0.0.1:0").await.unwrap());
    for listening in [one, other] {
        let address = tcp(listening.local_address().unwrap());
        assert!(ask(TcpStream::connect(address).await.unwrap()).await.contains("hello 127.0.0.1:"));
    }
    let counters = server.counters();
    let report = server.shutdown(Duration::from_secs(10)).await;
    assert!(report.late.is_empty(), "{report}");
    assert_eq!((counters.accepted(), counters.exchanges(), counters.ended()), (2, 2, 2));
}

/// One server, on the listeners of three runtimes.
#[tokio::test]
async fn listeners_of_other_runtimes() {
    let server = Server::new(ServerConfig::default(), hello);
    let addresses = [
        server.listen(TcpListener::bind("127.0.0.1:0").await.unwrap()),
        server.listen(smol::net::TcpListener::bind("127.0.0.1:0").await.unwrap()),
        server.listen(std::net::TcpListener::bind("127.0.0.1:0").unwrap()),
    ]
    .map(|listening| tcp(listening.local_address().unwrap()));
    for address in addresses {
        assert!(ask(TcpStream::connect(address).await.unwrap()).await.contains("hello"));
    }
    let counters = server.counters();
    server.shutdown(Duration::from_secs(10)).await;
    assert_eq!(counters.ended(), 3);
    for address in addresses {
        TcpStream::connect(address).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_unix_socket() {
    let path = std::env::temp_dir().join(format!("endwell-first-hour-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let server = Server::new(ServerConfig::default(), hello);
    let listening = server.listen(UnixListener::bind(&path).unwrap());
    assert_eq!(*listening.local_address().unwrap(), Address::Unix(Some(path.clone())));
    assert!(ask(UnixStream::connect(&path).await.unwrap()).await.ends_with("hello unix"));
    std::fs::remove_file(&path).unwrap();
}

/// A test of a handler needs no sockets.
#[tokio::test]
async fn in_memory() {
    let (client, stream) = tokio::io::duplex(1024);
    let server = Server::new(ServerConfig::default(), hello);
    let serving = server.connection(Stream::new(stream), Tokio, Info::default());
    let (ended, response) = tokio::join!(serving, ask(client));
    assert!(response.ends_with("hello unknown"));
    assert!(matches!(ended.kind(), EndedKind::Announced), "{ended}");
}

/// The connections of another accept loop have the same limits and counters.
#[tokio::test]
async fn an_accept_loop_of_ones_own() {
    let mut config = ServerConfig::default();
    config.connections = 1;
    let server = Server::new(config, hello);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepting = async {
        for _ in 0..2 {
            let (stream, peer) = listener.accept().await.unwrap();
            let info = Info::new(Address::Tcp(peer), Address::Tcp(address));
            tokio::spawn(server.connection(Stream::tcp(stream).unwrap(), Tokio, info));
        }
    };
    let asking = async {
        let first = TcpStream::connect(address).await.unwrap();
        let second = TcpStream::connect(address).await.unwrap();
        // The first is idle. It makes room.
        let answer = ask(second).await;
        drop(first);
        answer
    };
    let ((), answer) = tokio::join!(accepting, asking);
    assert!(answer.contains("hello 127.0.0.1:"), "{answer}");
    let counters = server.counters();
    server.shutdown(Duration::from_secs(10)).await;
    assert_eq!((counters.accepted(), counters.ended(), counters.shed()), (2, 2, 1));
}

/// Tokio's `spawn` takes it as it is.
#[tokio::test]
async fn a_server_in_a_task() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = serve(listener, ServerConfig::default(), hello).until(async { drop(stopped.await) });
    let counters = serving.counters();
    let task = tokio::spawn(serving);
    assert!(ask(TcpStream::connect(address).await.unwrap()).await.contains("hello"));
    drop(stop);
    let report = task.await.unwrap();
    assert_eq!((report.late.len(), counters.exchanges()), (0, 1));
}

#[tokio::test]
async fn a_limit_for_each_address() {
    let config = ServerConfig::default().admit(|_, open| open < 2);
    let server = Server::new(config, hello);
    // Of both listeners together.
    let addresses = [
        server.listen(TcpListener::bind("127.0.0.1:0").await.unwrap()),
        server.listen(TcpListener::bind("127.0.0.1:0").await.unwrap()),
    ]
    .map(|listening| tcp(listening.local_address().unwrap()));
    let counters = server.counters();
    let mut open = Vec::new();
    for address in addresses {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        assert!(stream.read(&mut [0; 100]).await.unwrap() > 0);
        open.push(stream);
    }
    let mut third = TcpStream::connect(addresses[0]).await.unwrap();
    assert!(matches!(third.read(&mut [0; 1]).await, Ok(0) | Err(_)), "the server hangs up");
    assert_eq!((counters.not_admitted(), counters.accepted()), (1, 2));
    // The same holds for connections from elsewhere.
    let (_client, stream) = tokio::io::duplex(1024);
    let local = Info::new(Address::Tcp((Ipv4Addr::LOCALHOST, 1).into()), Address::Unknown);
    let ended = server.connection(Stream::new(stream), Tokio, local).await;
    assert!(matches!(ended.kind(), EndedKind::Limit(_)), "{ended}");
    assert_eq!(counters.not_admitted(), 2);
}

/// A layer of the program's own: it reads the address of the client, which a proxy in front sends first.
struct Proxied(TcpListener);

/// What the layer knows besides.
struct Datacenter(&'static str);

impl Listener for Proxied {
    type Transport = Stream<TcpStream>;
    type Runtime = Tokio;

    async fn accept(&self) -> std::io::Result<(Self::Transport, Info)> {
        let (transport, mut info) = Listener::accept(&self.0).await?;
        let mut stream = transport.into_inner();
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(stream.read_u8().await?);
        }
        // PROXY TCP4 203.0.113.7 192.0.2.1 40000 443
        let line = String::from_utf8(line).map_err(std::io::Error::other)?;
        let mut words = line.split_ascii_whitespace().skip(2);
        if let (Some(ip), Some(_), Some(port)) = (words.next(), words.next(), words.next()) {
            let peer = format!("{ip}:{port}").parse().map_err(std::io::Error::other)?;
            info.peer = Address::Tcp(peer);
        }
        info.insert(Datacenter("west"));
        Ok((Stream::tcp(stream)?, info))
    }

    fn runtime(&self) -> Tokio {
        Tokio
    }

    fn local_address(&self) -> Address {
        self.0.local_address()
    }
}

#[tokio::test]
async fn the_peer_address_behind_a_layer() {
    let server = Server::new(ServerConfig::default(), async |exchange: Exchange| {
        let datacenter = exchange.info::<Datacenter>().map_or("?", |datacenter| datacenter.0);
        let text = format!("{} by {datacenter}", exchange.peer_address());
        exchange.respond(StatusCode::OK, text)
    });
    let listening = server.listen(Proxied(TcpListener::bind("127.0.0.1:0").await.unwrap()));
    let mut stream = TcpStream::connect(tcp(listening.local_address().unwrap())).await.unwrap();
    stream.write_all(b"PROXY TCP4 203.0.113.7 192.0.2.1 40000 443\r\n").await.unwrap();
    assert!(ask(stream).await.ends_with("203.0.113.7:40000 by west"));
}

#[tokio::test]
async fn tls_and_a_client_certificate() {
    let clients = Authority::new("clients");
    let server = Server::new(ServerConfig::default(), async |exchange: Exchange| {
        let tls = exchange.info::<TlsInfo>().unwrap();
        let text = format!("{} certificate for {:?}", tls.peer_certificates.len(), tls.server_name);
        exchange.respond(StatusCode::OK, text)
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listening = server.listen(tls::TlsListener::new(listener, identity().mutual_server(&clients)));
    let port = tcp(listening.local_address().unwrap()).port();

    let config = authority().client_with(&clients.sign(&["client"]));
    let origin = Origin::https("localhost", port);
    let connection =
        Connection::connect(&tls::TlsConnector::new(Tcp, config), &origin, &endwell::ClientConfig::default())
            .await
            .unwrap();
    assert!(connection.is_secure());
    let request = Request::new(Method::Get, "localhost", "/").unwrap();
    let mut received = connection.send(&request, "").await.unwrap();
    assert_eq!(received.read_all(100).await.unwrap(), "1 certificate for Some(\"localhost\")");
}

/// A connection whose future is dropped has ended too.
#[tokio::test]
async fn a_connection_that_is_dropped() {
    let (tell, mut ended) = mpsc::unbounded_channel();
    let config = ServerConfig::default().on_end(move |_, ended| tell.send(ended.kind().clone()).unwrap());
    let server = Server::new(config, async |exchange: Exchange| {
        std::future::pending::<()>().await;
        exchange.respond(StatusCode::OK, "")
    });
    let counters = server.counters();
    for is_polled in [false, true] {
        let (mut client, stream) = tokio::io::duplex(1024);
        let mut serving = Box::pin(server.connection(Stream::new(stream), Tokio, Info::default()));
        if is_polled {
            client.write_all(GET).await.unwrap();
            let mut context = Context::from_waker(Waker::noop());
            assert!(serving.as_mut().poll(&mut context).is_pending());
        }
        drop(serving);
        assert!(matches!(ended.try_recv(), Ok(EndedKind::Cancelled)));
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    }
    // The first never had a place.
    assert_eq!((counters.accepted(), counters.exchanges(), counters.ended()), (1, 1, 1));
    assert!(ended.try_recv().is_err(), "each is told once");
}

/// The bound of memory holds for the connections of another accept loop alone.
#[tokio::test]
async fn a_bound_of_memory_without_a_listener() {
    async fn gather(mut exchange: Exchange) -> Result<Answered, Ended> {
        let body = exchange.read_all(16 << 20).await?;
        Ok(exchange.respond(StatusCode::OK, body))
    }
    let mut config = ServerConfig::default();
    config.held_bytes = 1 << 20;
    let server = Server::new(config, gather);
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (mut client, stream) = tokio::io::duplex(1 << 16);
        tokio::spawn(server.connection(Stream::new(stream), Tokio, Info::default()));
        clients.spawn(async move {
            client.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10000000\r\n\r\n").await?;
            client.write_all(&vec![0; 500_000]).await?;
            let mut response = [0; 12];
            client.read_exact(&mut response).await?;
            std::io::Result::Ok((client, response))
        });
    }
    let shed = tokio::time::timeout(Duration::from_secs(20), clients.join_next()).await.unwrap();
    let (_client, response) = shed.unwrap().unwrap().unwrap();
    assert_eq!(response, *b"HTTP/1.1 413");
    assert!(server.counters().shed() >= 1);
}
