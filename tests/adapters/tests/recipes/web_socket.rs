//! Recipes with WebSockets.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use endwell::http::StatusCode;
use endwell::ws::{CloseCode, Message, Socket};
use endwell::{Answered, ClientConfig, Ended, Exchange, ServerConfig, serve, tokio::Tcp, with_state};

use crate::{axum_on_endwell, chat_room, echo, endwell_in_axum, get, reconnecting_feed, start};

async fn open(address: SocketAddr, path: &str) -> Socket {
    Socket::connect(&Tcp, &format!("ws://{address}{path}"), &ClientConfig::default()).await.unwrap()
}

async fn text(socket: &mut Socket) -> String {
    socket.receive().await.unwrap().into_text().unwrap()
}

async fn echoes(address: SocketAddr, path: &str) {
    let mut socket = open(address, path).await;
    socket.send("hello").await.unwrap();
    socket.send(vec![1, 2]).await.unwrap();
    assert_eq!(text(&mut socket).await, "hello");
    assert!(socket.receive().await.as_ref().is_some_and(Message::is_data));
    let ended = socket.close(CloseCode::NORMAL).await;
    assert!(ended.to_string().contains("1000"), "{ended}");
}

/// What was sent comes back, and the Close is answered; a plain request is refused with 426.
#[tokio::test]
async fn an_echo() {
    let address = start(echo::run).await;
    echoes(address, "/").await;
    assert_eq!(get(address, "/").await.0.as_u16(), 426);
}

/// The handlers of axum answer, and its WebSocket is one of endwell.
#[tokio::test]
async fn a_router_of_axum() {
    let address = start(axum_on_endwell::run).await;
    assert_eq!(get(address, "/hello/you").await.1, "hello you");
    assert_eq!(get(address, "/none").await.0.as_u16(), 404);
    echoes(address, "/echo").await;
}

/// Under axum's server the limit of this socket holds: 64 KiB.
#[tokio::test]
async fn a_web_socket_under_axum() {
    let address = start(endwell_in_axum::run).await;
    echoes(address, "/echo").await;
    let mut socket = open(address, "/echo").await;
    socket.send("x".repeat(70_000)).await.unwrap();
    while socket.receive().await.is_some() {}
    let ended = socket.close(CloseCode::NORMAL).await;
    assert!(ended.to_string().contains("1009"), "{ended}");
}

/// Everyone hears of everyone, and a connection that ends without a Close leaves too.
#[tokio::test]
async fn a_chat_room() {
    let address = start(chat_room::run).await;
    let mut first = open(address, "/").await;
    assert_eq!(text(&mut first).await, "1 has joined");
    let mut second = open(address, "/").await;
    for socket in [&mut first, &mut second] {
        assert_eq!(text(socket).await, "2 has joined");
    }
    second.send("hello").await.unwrap();
    for socket in [&mut first, &mut second] {
        assert_eq!(text(socket).await, "2: hello");
    }
    drop(second);
    assert_eq!(text(&mut first).await, "2 has left");
}

/// The server closes the first socket after three prices, and the second after one; then it refuses.
#[tokio::test]
async fn a_feed_that_reconnects() {
    let number = Arc::new(AtomicUsize::new(0));
    let prices = async |number: Arc<AtomicUsize>, exchange: Exchange| {
        let (number, count) = match number.fetch_add(1, Ordering::SeqCst) {
            0 => (1, 3),
            1 => (2, 1),
            _ => return Ok(exchange.respond(StatusCode::FORBIDDEN, "")),
        };
        let acceptance = exchange.acceptance();
        let mut socket = match exchange.accept(acceptance) {
            Ok(socket) => socket,
            Err((reason, exchange)) => return Ok(exchange.respond(reason.head(), "")),
        };
        let subscribed = [text(&mut socket).await, text(&mut socket).await].join("+");
        for price in 0..count {
            socket.send(format!("{subscribed} {number}.{price}")).await?;
        }
        Err::<Answered, Ended>(socket.close(CloseCode::SERVICE_RESTART).await)
    };
    let address =
        start(|listener| serve(listener, ServerConfig::default(), with_state(number, prices))).await;
    let heard = Mutex::new(Vec::new());
    let url = format!("ws://{address}/");
    reconnecting_feed::run(url, |price| heard.lock().unwrap().push(price.to_owned())).await;
    let heard = heard.into_inner().unwrap();
    assert_eq!(heard, ["EUR+USD 1.0", "EUR+USD 1.1", "EUR+USD 1.2", "EUR+USD 2.0"]);
}
