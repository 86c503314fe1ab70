//! The same router under axum's own server: a WebSocket of endwell, with its limits, pings and outlets, in a program that stays
//! with axum. Feature `axum`.

use std::time::Duration;

use axum::Router;
use axum::response::Response;
use axum::routing::any;
use endwell::ws::{Acceptance, CloseCode, Socket, SocketLimits, WebSocketUpgrade};
use tokio::net::TcpListener;

async fn echo(upgrade: WebSocketUpgrade) -> Response {
    let mut limits = SocketLimits::default();
    limits.message_bytes = 64 << 10;
    limits.ping_interval = Some(Duration::from_secs(20));
    let acceptance = Acceptance::new(limits.into()).subprotocols(["echo"]);
    upgrade.on_open(acceptance, async |mut socket: Socket| {
        while let Some(message) = socket.receive_data().await {
            if socket.send(message).await.is_err() {
                break;
            }
        }
        socket.close(CloseCode::NORMAL).await;
    })
}

pub async fn run(listener: TcpListener) -> std::io::Result<()> {
    // `any`: over HTTP/2 the request is a CONNECT.
    axum::serve(listener, Router::new().route("/echo", any(echo))).await
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    run(TcpListener::bind("127.0.0.1:8080").await?).await
}
