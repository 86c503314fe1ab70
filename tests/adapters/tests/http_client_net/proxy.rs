//! HTTP proxies: tunnels, and every way in which there is none.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use endwell::client::proxy::{Proxied, Proxies, Proxy, ProxyError, Reason};
use endwell::client::{Connection, Origin};
use endwell::core::Limit;
use endwell::http::{self, StatusCode};
use endwell::{Address, ClientConfig, Connector, Exchange, Transport, ws};

use crate::connecting::free_port;
use crate::dialling::{Dialling, get, run};
use crate::server::{Accepted, once};
use crate::support::{on_every_runtime, start};
use crate::web_socket::shake_hands;

on_every_runtime!(
    requests_through_a_tunnel,
    an_answer_in_pieces_and_bytes_behind_it,
    a_web_socket_through_a_tunnel,
    refusals,
    answers_that_are_none,
    a_head_without_end,
    our_own_head_sent_back,
    a_silent_proxy,
    no_proxy_there,
    origins_without_a_proxy,
    secure_origins
);

/// Through the proxy at `address`, which is told `credentials` (`user:password@`, or nothing).
pub(crate) fn through<R: Dialling>(
    scheme: &str,
    credentials: &str,
    address: SocketAddr,
) -> Proxied<R::Connector> {
    let proxy = Proxy::parse(&format!("{scheme}://{credentials}{address}")).unwrap();
    Proxied::new(R::CONNECTOR, Proxies::all(proxy))
}

/// What a transport gives until it has given `len` bytes.
pub(crate) async fn read(transport: &mut impl Transport, len: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < len {
        let mut buffer = [0; 3];
        let read = poll_fn(|cx| transport.poll_read(cx, &mut buffer)).await.unwrap();
        assert!(read > 0, "{all:?}, and the end");
        all.extend(&buffer[..read]);
    }
    all
}

/// Why there is no tunnel to `origin`. Credentials are not told, in any form.
pub(crate) async fn refused<C: Connector>(
    connector: &Proxied<C>,
    origin: &Origin,
    proxy: SocketAddr,
) -> (io::Error, String) {
    let Err(error) = connector.connect(origin).await else { panic!("a tunnel") };
    let text = error.to_string();
    let inner: &ProxyError = error.get_ref().unwrap().downcast_ref().unwrap();
    let shown = format!("{error:?} {inner} {inner:?} {:?}", inner.reason);
    for secret in ["hunter", "aHVudGVy", "dXNlcj"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(inner.proxy.ends_with(&proxy.to_string()), "{}", inner.proxy);
    (error, text.replace(&proxy.to_string(), "PROXY"))
}

fn origin() -> Origin {
    Origin::http("a.example", 80)
}

fn requests_through_a_tunnel<R: Dialling>() {
    let proxy = once(|mut client| {
        let expected = "CONNECT a.example:80 HTTP/1.1\r\nhost: a.example:80\r\n\
                        proxy-authorization: Basic dXNlcjpodW50ZXIy\r\n\r\n";
        assert_eq!(client.head(), expected);
        // Neither length nor coding means anything here.
        client.send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n");
        for _ in 0..2 {
            assert_eq!(client.head(), "GET /x HTTP/1.1\r\nhost: a\r\n\r\n");
            client.send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
        }
        client.assert_left();
    });
    run::<R, _>(async {
        let connector = through::<R>("http", "user:hunter2@", proxy.address);
        let mut connection =
            Connection::connect(&connector, &origin(), &ClientConfig::default()).await.unwrap();
        assert_eq!(*connection.peer_address(), Address::Tcp(proxy.address));
        for _ in 0..2 {
            let mut received = connection.send(&get("/x"), "").await.unwrap();
            assert_eq!(received.read_all(5).await.unwrap(), "hello");
            connection = received.finish().await.unwrap();
        }
    });
}

fn an_answer_in_pieces_and_bytes_behind_it<R: Dialling>() {
    let answer = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.0 299 Connection established\r\nvia: x\r\n\r\nhello";
    for send in [Accepted::send, Accepted::send_bytes] {
        let proxy = once(move |mut client| {
            assert_eq!(client.head(), "CONNECT [::1]:81 HTTP/1.1\r\nhost: [::1]:81\r\n\r\n");
            send(&mut client, answer);
            send(&mut client, ", world");
            client.assert_left();
        });
        run::<R, _>(async {
            let connector = through::<R>("http", "", proxy.address);
            let (mut transport, _) = connector.connect(&Origin::http("::1", 81)).await.unwrap();
            assert_eq!(read(&mut transport, 12).await, b"hello, world");
        });
    }
}

fn a_web_socket_through_a_tunnel<R: Dialling>() {
    let proxy = once(|mut client| {
        client.head();
        client.send("HTTP/1.1 200 OK\r\n\r\n");
        assert!(shake_hands(&mut client).contains("\r\nhost: a.example:81\r\n"));
        client.send(b"\x81\x05hello");
        client.until_left();
    });
    run::<R, _>(async {
        let connector = through::<R>("http", "", proxy.address);
        let mut socket =
            ws::Socket::connect(&connector, "ws://a.example:81/", &ClientConfig::default()).await.unwrap();
        assert!(matches!(socket.receive().await.unwrap().content(), ws::Content::Text("hello")));
    });
}

fn refusals<R: Dialling>() {
    for (credentials, answer, kind, expected) in [
        (
            "",
            "407 What\r\nproxy-authenticate: Basic realm=x",
            ErrorKind::PermissionDenied,
            "the proxy http://PROXY wants credentials for a tunnel to a.example:80: \
             407 Proxy Authentication Required",
        ),
        (
            "user:hunter%32@",
            "407 hunter2\r\nx: hunter2\r\nproxy-authorization: Basic dXNlcjpodW50ZXIy",
            ErrorKind::PermissionDenied,
            "the proxy http://PROXY does not accept the credentials for a tunnel to a.example:80: \
             407 Proxy Authentication Required",
        ),
        (
            "user:hunter2@",
            "401 Unauthorized",
            ErrorKind::PermissionDenied,
            "the proxy http://PROXY does not accept the credentials for a tunnel to a.example:80: 401 Unauthorized",
        ),
        (
            "",
            "403 Forbidden",
            ErrorKind::PermissionDenied,
            "the proxy http://PROXY refused a tunnel to a.example:80: 403 Forbidden",
        ),
        (
            "",
            "302 Found\r\nlocation: http://b/",
            ErrorKind::Other,
            "the proxy http://PROXY refused a tunnel to a.example:80: 302 Found",
        ),
        (
            "",
            "502 Bad Gateway",
            ErrorKind::Other,
            "the proxy http://PROXY could not make a tunnel to a.example:80: 502 Bad Gateway",
        ),
    ] {
        let proxy = once(move |mut client| {
            client.head();
            client.send(format!("HTTP/1.1 {answer}\r\ncontent-length: 3\r\n\r\nno!"));
            client.assert_left();
        });
        run::<R, _>(async {
            let connector = through::<R>("http", credentials, proxy.address);
            let (error, text) = refused(&connector, &origin(), proxy.address).await;
            assert_eq!((error.kind(), &*text), (kind, expected));
            let error: &ProxyError = error.get_ref().unwrap().downcast_ref().unwrap();
            let status = error.head().unwrap().status();
            assert!(answer.starts_with(&status.as_u16().to_string()), "{answer}");
            assert_eq!(error.wants_credentials(), matches!(status.as_u16(), 401 | 407));
        });
    }
}

fn answers_that_are_none<R: Dialling>() {
    for (answer, kind, expected) in [
        (
            "",
            ErrorKind::UnexpectedEof,
            "the proxy http://PROXY closed the connection before it answered for a.example:80",
        ),
        (
            "HTTP/1.1 200 OK\r\nx: ",
            ErrorKind::InvalidData,
            "the proxy http://PROXY broke the protocol: expected a whole head before the end of the stream, \
             got \"HTTP/1.1 200 OK\\r\\nx: \" (RFC 9112 8)",
        ),
        (
            "SSH-2.0-OpenSSH\r\n",
            ErrorKind::InvalidData,
            "the proxy http://PROXY broke the protocol: expected a version of the form HTTP/1.1, \
             got \"SSH-2.0-OpenSSH\" (RFC 9112 2.3)",
        ),
        (
            "HTTP/1.1 101 Switching Protocols\r\n\r\n",
            ErrorKind::InvalidData,
            "the proxy http://PROXY broke the protocol: expected no 101 to a CONNECT, \
             got \"HTTP/1.1 101 Switching Protocols\\r\\n\\r\\n\" (RFC 9110 15.2.2)",
        ),
    ] {
        let proxy = once(move |mut client| {
            client.head();
            client.send_last(answer);
        });
        run::<R, _>(async {
            let connector = through::<R>("http", "", proxy.address);
            let (error, text) = refused(&connector, &origin(), proxy.address).await;
            assert_eq!(error.kind(), kind, "{text}");
            assert!(text.starts_with(expected), "{text}");
        });
    }
}

fn a_head_without_end<R: Dialling>() {
    let proxy = once(|mut client| {
        client.head();
        client.send(format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(1000)));
        client.until_left();
    });
    run::<R, _>(async {
        let mut limits = http::HttpLimits::default();
        limits.response_head_bytes = 500;
        let connector = through::<R>("http", "", proxy.address).limits(limits);
        let (error, text) = refused(&connector, &origin(), proxy.address).await;
        let inner: &ProxyError = error.get_ref().unwrap().downcast_ref().unwrap();
        assert!(matches!(inner.reason, Reason::Limit(exceeded) if exceeded.limit == Limit::HeadBytes));
        assert!(text.starts_with("the answer of the proxy http://PROXY met a limit: "), "{text}");
    });
}

/// An excerpt of it would hold the credentials.
fn our_own_head_sent_back<R: Dialling>() {
    for before in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nBasic dXNlcjpodW50ZXIy\r\n",
        "HTTP/1.1 dXNlcjpodW50ZXIy ",
    ] {
        let proxy = once(move |mut client| {
            let head = client.head();
            client.send(format!("{before}{head}"));
        });
        run::<R, _>(async {
            let connector = through::<R>("http", "user:hunter2@", proxy.address);
            let (error, text) = refused(&connector, &origin(), proxy.address).await;
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert!(text.starts_with("the proxy http://PROXY broke the protocol: expected "), "{text}");
        });
    }
}

fn a_silent_proxy<R: Dialling>() {
    for scheme in ["http", "socks5"] {
        let proxy = once(|mut client| {
            client.0.set_nodelay(true).unwrap();
            client.until_left();
        });
        let mut config = ClientConfig::default();
        config.connect_time = Duration::from_millis(200);
        run::<R, _>(async {
            let connector = through::<R>(scheme, "", proxy.address);
            let error = Connection::connect(&connector, &origin(), &config).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert_eq!(error.to_string(), "no connection to http://a.example:80 within 200ms");
            proxy.done().await;
        });
    }
}

fn no_proxy_there<R: Dialling>() {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    run::<R, _>(async {
        let connector = through::<R>("http", "user:hunter2@", address);
        let (error, text) = refused(&connector, &origin(), address).await;
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert!(text.starts_with("no connection to the proxy http://PROXY: "), "{text}");
    });
}

/// They are reached as without proxies.
fn origins_without_a_proxy<R: Dialling>() {
    let server =
        start::<R, _, _>(|exchange: Exchange| async move { exchange.respond(StatusCode::OK, "here") });
    let nobody = Proxy::parse("http://nobody.invalid").unwrap();
    run::<R, _>(async {
        for proxies in [Proxies::default(), Proxies::all(nobody).except("10.0.0.0/8, 127.0.0.0/8")] {
            let connector = Proxied::new(R::CONNECTOR, proxies);
            let origin = Origin::http("127.0.0.1", server.address.port());
            let connection =
                Connection::connect(&connector, &origin, &ClientConfig::default()).await.unwrap();
            let mut received = connection.send(&get("/"), "").await.unwrap();
            assert_eq!(received.read_all(4).await.unwrap(), "here");
        }
    });
}

/// TLS is above: nothing that is secret is sent in the clear, and the proxy for `https` is the one that is asked.
fn secure_origins<R: Dialling>() {
    let secure = Origin::https("a.example", 443);
    let proxy = once(|mut client| {
        assert!(client.head().starts_with("CONNECT a.example:443 HTTP/1.1\r\n"));
        client.send("HTTP/1.1 200 OK\r\n\r\nx");
        client.assert_left();
    });
    let variables = [("https_proxy", proxy.address.to_string()), ("http_proxy", "nobody.invalid".to_owned())];
    let proxies = Proxies::from_variables(|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    });
    run::<R, _>(async {
        let connector = Proxied::new(R::CONNECTOR, proxies.unwrap());
        let Err(error) = connector.connect(&secure).await else { panic!("a connection without TLS") };
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let (mut transport, _) = connector.connect(&secure.without_tls()).await.unwrap();
        assert_eq!(read(&mut transport, 1).await, b"x");
    });
}
