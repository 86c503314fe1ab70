//! The recipe of a reverse proxy.

use std::net::SocketAddr;

use endwell::http::{Framing, Method, StatusCode};
use endwell::ws::{Close, CloseCode, Content, Socket};
use endwell::{Answered, ClientConfig, Exchange, ServerConfig, serve, tokio::Tcp};
use tokio::net::TcpListener;

use crate::{ask, get, reverse_proxy, start};

/// The server behind the proxy: sends a body back as it comes, tells its target, and closes a WebSocket with 4000 once it has
/// heard "bye".
async fn behind(exchange: Exchange) -> std::io::Result<Answered> {
    if exchange.path() == "/chat" {
        let acceptance = exchange.acceptance();
        let mut socket = match exchange.accept(acceptance) {
            Ok(socket) => socket,
            Err((reason, exchange)) => return Ok(exchange.respond(reason.head(), "")),
        };
        while let Some(message) = socket.receive_data().await {
            if message.as_text() == Some("bye") {
                break;
            }
            socket.send(message).await?;
        }
        let close = Close::new(CloseCode::new(4000).unwrap(), "so long").unwrap();
        return Err(socket.close(close).await.into());
    }
    if exchange.method() == Method::Post {
        let (mut body, mut writer) = exchange.start(StatusCode::CREATED, Framing::Chunked);
        while let Some(piece) = body.read().await? {
            writer.write(piece).await?;
        }
        return Ok(writer.finish()?);
    }
    let text = exchange.target().to_owned();
    Ok(exchange.respond(StatusCode::OK, text))
}

async fn proxy() -> SocketAddr {
    let server =
        start(|listener: TcpListener| serve(listener, ServerConfig::default(), behind).into_future()).await;
    start(|listener| reverse_proxy::run(listener, server.to_string().parse().unwrap())).await
}

/// The target and a large body go there and back.
#[tokio::test]
async fn requests_stream_through() {
    let address = proxy().await;
    assert_eq!(get(address, "/a?b=c").await, (StatusCode::OK, "/a?b=c".into()));
    let body = "x".repeat(900_000);
    let (status, echo) = ask(address, Method::Post, "/", &body).await;
    assert!(status == StatusCode::CREATED && echo == body);
}

/// A server that is not there makes a 502.
#[tokio::test]
async fn without_a_server() {
    let nowhere = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let address = start(|listener| reverse_proxy::run(listener, nowhere.to_string().parse().unwrap())).await;
    assert_eq!(get(address, "/").await.0, StatusCode::BAD_GATEWAY);
}

/// Messages pass both ways, and the Close of the server comes with its code and its reason.
#[tokio::test]
async fn web_sockets_are_passed_on() {
    let url = format!("ws://{}/chat", proxy().await);
    let mut socket = Socket::connect(&Tcp, &url, &ClientConfig::default()).await.unwrap();
    for text in ["hello", "again"] {
        socket.send(text).await.unwrap();
        assert_eq!(socket.receive().await.unwrap().as_text(), Some(text));
    }
    socket.send("bye").await.unwrap();
    let message = socket.receive().await.unwrap();
    let Content::Close(close) = message.content() else { panic!("{message:?}") };
    assert_eq!((close.code().map(CloseCode::number), close.reason()), (Some(4000), "so long"));
}
