//! A router of axum, with a layer of tower-http and a WebSocket, served by endwell.

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use endwell::ws::{CloseCode, Socket, WebSocketUpgrade};
use endwell::{ServerConfig, serve, with_service};
use tokio::net::TcpListener;
use tower_http::compression::CompressionLayer;

async fn hello(Path(name): Path<String>) -> String {
    format!("hello {name}")
}

async fn echo(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_open(upgrade.acceptance(), async |mut socket: Socket| {
        while let Some(message) = socket.receive_data().await {
            if socket.send(message).await.is_err() {
                break;
            }
        }
        socket.close(CloseCode::NORMAL).await;
    })
}

pub fn router() -> Router {
    Router::new().route("/hello/{name}", get(hello)).layer(CompressionLayer::new()).route("/echo", get(echo))
}

pub async fn run(listener: TcpListener) {
    serve(listener, ServerConfig::default(), with_service(router())).await;
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    run(TcpListener::bind("127.0.0.1:8080").await?).await;
    Ok(())
}
