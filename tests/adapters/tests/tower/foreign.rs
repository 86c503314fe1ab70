//! The same handler of WebSockets under axum's own server: over HTTP/1.1, and over HTTP/2 (RFC 8441).

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use endwell::core::ws::{Masks, Role, Socket as Core};
use endwell::ws::{CloseCode, Jitter, Socket, SocketConfig, WebSocketUpgrade};
use endwell::{ClientConfig, OutboxLimits, with_service};
use http::{HeaderMap, Request, StatusCode};
use hyper::client::conn::http2::{self, SendRequest};
use hyper::ext::Protocol;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Client, Runtime, Tokio, start};

async fn chat(upgrade: WebSocketUpgrade) -> Response {
    let mut response = upgrade.on_open(upgrade.acceptance(), |mut socket: Socket| async move {
        while let Some(message) = socket.receive_data().await {
            let answer = format!("{} too", message.into_text().unwrap());
            socket.send(answer).await.unwrap();
        }
        socket.close(CloseCode::NORMAL).await;
    });
    response.headers_mut().insert("x-more", "1".parse().unwrap());
    response
}

fn router() -> Router {
    Router::new().route("/chat", any(chat))
}

/// Runs `client` beside axum's own server.
fn beside_axum<F: Future>(client: impl FnOnce(SocketAddr) -> F) -> F::Output {
    Tokio::run(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, router()).await });
        let output = client(address).await;
        server.abort();
        output
    })
}

async fn speaks(mut socket: Socket) {
    let long = "x".repeat(200_000);
    for word in ["hello", &long, "good bye"] {
        socket.send(word).await.unwrap();
        assert_eq!(socket.receive().await.unwrap().into_text().unwrap(), format!("{word} too"));
    }
    let ended = socket.close(CloseCode::NORMAL).await;
    assert!(ended.web_socket().is_some(), "{ended}");
}

#[test]
fn a_web_socket_over_http_1() {
    beside_axum(async |address| {
        let url = format!("ws://{address}/chat");
        speaks(Socket::connect(&endwell::tokio::Tcp, &url, &ClientConfig::default()).await.unwrap()).await;
    });
}

/// Both servers accept and refuse alike, for the same reasons.
#[test]
fn both_servers_judge_alike() {
    let ours = start::<Tokio, _, _>(with_service(router()));
    let valid = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                 sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let requests = [
        ("GET", valid.to_owned()),
        ("GET", format!("{valid}origin: http://a\r\n")),
        ("GET", format!("{valid}origin: http://b\r\n")),
        ("GET", String::new()),
        ("POST", String::new()),
        ("POST", valid.to_owned()),
        ("GET", valid.replace("13", "8")),
        ("GET", valid.replace("dGhl", "")),
        ("GET", valid.replace("websocket\r\n", "other\r\n")),
        ("GET", valid.replace("connection: upgrade", "connection: x")),
        ("GET", format!("{valid}content-length: 1\r\n")),
        ("GET", format!("{valid}sec-websocket-protocol: a, @\r\n")),
    ];
    beside_axum(async |theirs| {
        for (method, fields) in requests {
            let [expected, found] = [ours.address, theirs].map(|address| {
                let mut client = Client::connect(address);
                let length = if method == "POST" { "content-length: 0\r\n" } else { "" };
                client.send(format!("{method} /chat HTTP/1.1\r\nhost: a\r\n{fields}{length}\r\n"));
                let response = client.response().unwrap();
                let names = ["sec-websocket-accept", "upgrade", "allow", "sec-websocket-version"];
                (response.status, names.map(|name| response.field(name)))
            });
            assert_eq!(found, expected, "{method} {fields}");
        }
    });
}

async fn http2_client(address: SocketAddr) -> SendRequest<Body> {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    // The server has said by then that it knows extended CONNECT.
    let request = Request::get("http://a/none").body(Body::empty()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), StatusCode::NOT_FOUND);
    sender
}

fn extended(protocol: &'static str, origin: &str) -> Request<Body> {
    let request =
        Request::connect("http://a/chat").header("sec-websocket-version", "13").header("origin", origin);
    request.extension(Protocol::from_static(protocol)).body(Body::empty()).unwrap()
}

/// Many on one connection, each on its own stream.
#[test]
fn web_sockets_over_http_2() {
    beside_axum(async |address| {
        let mut sender = http2_client(address).await;
        let mut sockets = Vec::new();
        for _ in 0..10 {
            let response = sender.send_request(extended("websocket", "http://a")).await.unwrap();
            let headers: &HeaderMap = response.headers();
            assert_eq!((response.status(), headers.get("x-more").is_some()), (StatusCode::OK, true));
            for name in ["connection", "upgrade", "sec-websocket-accept"] {
                assert!(headers.get(name).is_none(), "{name}");
            }
            let stream = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
            let role = Role::Client(Masks::new(|| [1, 2, 3, 4]));
            let core = Core::from_parts(
                role,
                Bytes::new(),
                std::sync::Arc::default(),
                OutboxLimits::default(),
                Jitter::default(),
                None,
            );
            let stream = endwell::tokio::Stream::new(stream);
            let (socket, driver) =
                Socket::over(stream, endwell::tokio::Tokio, core, &SocketConfig::default());
            tokio::spawn(driver);
            sockets.push(tokio::spawn(speaks(socket)));
        }
        for socket in sockets {
            socket.await.unwrap();
        }
    });
}

#[test]
fn what_is_refused_over_http_2() {
    beside_axum(async |address| {
        let mut sender = http2_client(address).await;
        let elsewhere = sender.send_request(extended("websocket", "http://b")).await.unwrap();
        assert_eq!(elsewhere.status(), StatusCode::FORBIDDEN);
        let other = sender.send_request(extended("other", "http://a")).await.unwrap();
        assert!(other.status().is_client_error(), "{}", other.status());
        let plain = Request::get("http://a/chat").body(Body::empty()).unwrap();
        let plain = sender.send_request(plain).await.unwrap();
        // HTTP/2 has no Upgrade, and so no 426.
        assert_eq!((plain.status(), plain.headers().get("upgrade")), (StatusCode::BAD_REQUEST, None));
    });
}

/// The Close with the reason comes whole, and then the end of the stream, however much of the message is still on its way.
#[test]
fn a_failure_is_told_while_the_message_is_still_being_sent() {
    beside_axum(async |address| {
        let mut sender = http2_client(address).await;
        for _ in 0..4 {
            let response = sender.send_request(extended("websocket", "http://a")).await.unwrap();
            let mut stream = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
            // A masked text message of 64 MiB, of which the limit allows 16.
            let header = [&[0x81, 0xff][..], &(64_u64 << 20).to_be_bytes(), &[0; 4]].concat();
            stream.write_all(&header).await.unwrap();
            let (mut read, mut write) = tokio::io::split(stream);
            let sending = tokio::spawn(async move {
                for _ in 0..8 {
                    if write.write_all(&vec![b'a'; 1 << 20]).await.is_err() {
                        break;
                    }
                }
                write
            });
            let mut got = Vec::new();
            let end = read.read_to_end(&mut got).await;
            assert_eq!((end.ok(), got.get(2..4)), (Some(got.len()), Some(&1009_u16.to_be_bytes()[..])));
            drop(sending.await);
        }
    });
}
