//! WebSockets that a router opens.

use std::sync::mpsc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router, middleware};
use endwell::http::RequestHead;
use endwell::ws::{CloseCode, Origins, Socket, Subprotocol, WebSocketUpgrade};
use endwell::{ClientConfig, Info, with_service};

use crate::support::{LONG, Runtime, Tokio, on_every_runtime, start};

on_every_runtime!(a_router_opens_web_sockets, what_is_no_handshake_is_refused, another_answer_opens_none);

fn handshake(path: &str, more: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

async fn chat(
    Extension(upgrade): Extension<WebSocketUpgrade>,
    Extension(head): Extension<RequestHead>,
    Extension(info): Extension<Info>,
) -> Response {
    let mut acceptance = upgrade.acceptance();
    if let Some(offered) = Subprotocol::offered(&head).find(|offered| offered.as_str() == "chat") {
        acceptance = acceptance.subprotocol(offered);
    }
    upgrade.on_open(acceptance, move |mut socket: Socket| async move {
        assert_eq!(socket.peer_address(), &info.peer);
        while let Some(message) = socket.receive_data().await {
            let answer = format!("{} too", message.into_text().unwrap());
            socket.send(answer).await.unwrap();
        }
        socket.close(CloseCode::NORMAL).await;
    })
}

fn router() -> Router {
    Router::new().route("/chat", get(chat).post(chat)).layer(middleware::map_response(
        async |mut response: Response| {
            response.headers_mut().insert("x-layer", "one".parse().unwrap());
            response
        },
    ))
}

fn a_router_opens_web_sockets<R: Runtime>() {
    let server = start::<R, _, _>(with_service(router()));
    let mut client = server.connect();
    client.send(handshake("/chat", "sec-websocket-protocol: x, chat\r\n"));
    let response = client.response().unwrap();
    let fields = ["x-layer", "sec-websocket-protocol", "sec-websocket-accept"]
        .map(|name| response.field(name).unwrap());
    assert_eq!(
        (response.status, fields),
        (101, ["one", "chat", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="].map(String::from))
    );
    let url = format!("ws://{}/chat", server.address);
    Tokio::run(async {
        let mut socket = Socket::connect(&endwell::tokio::Tcp, &url, &ClientConfig::default()).await.unwrap();
        for word in ["hello", "good bye"] {
            socket.send(word).await.unwrap();
            assert_eq!(socket.receive().await.unwrap().into_text().unwrap(), format!("{word} too"));
        }
        let ended = socket.close(CloseCode::NORMAL).await;
        assert!(ended.web_socket().is_some(), "{ended}");
    });
}

fn what_is_no_handshake_is_refused<R: Runtime>() {
    let server = start::<R, _, _>(with_service(router()));
    let mut client = server.connect();
    client.send("GET /chat HTTP/1.1\r\nhost: a\r\n\r\n");
    let refused = client.response().unwrap();
    assert_eq!((refused.status, refused.field("upgrade").as_deref()), (426, Some("websocket")));
    client.send("POST /chat HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(client.response().unwrap().status, 405);
    client.send(handshake("/chat", "origin: http://elsewhere.example\r\n"));
    assert_eq!(client.response().unwrap().status, 403);
    // The connection goes on.
    client.send(handshake("/chat", "origin: http://a\r\n"));
    assert_eq!(client.response().unwrap().status, 101);
}

/// A layer refuses, or a handler says 101 and means nothing by it.
fn another_answer_opens_none<R: Runtime>() {
    let (tell, news) = mpsc::sync_channel(10);
    let offer = get(async move |Extension(upgrade): Extension<WebSocketUpgrade>| {
        let acceptance = upgrade.acceptance().origins(Origins::Any);
        upgrade.on_open::<axum::body::Body, _>(acceptance, move |_| async move { tell.send(()).unwrap() })
    });
    let refuse = middleware::map_response(async |_: Response| (StatusCode::FORBIDDEN, "not you"));
    let router = Router::new()
        .route("/refused", offer.layer(refuse))
        .route("/meant-nothing", get(async || StatusCode::SWITCHING_PROTOCOLS.into_response()));
    let server = start::<R, _, _>(with_service(router));
    let mut client = server.connect();
    for (path, status) in [("/refused", 403), ("/meant-nothing", 500), ("/refused", 403)] {
        client.send(handshake(path, ""));
        assert_eq!(client.response().unwrap().status, status, "{path}");
    }
    drop(server);
    assert_eq!(news.recv_timeout(LONG), Err(mpsc::RecvTimeoutError::Disconnected), "a session ran");
}
