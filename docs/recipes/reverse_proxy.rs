//! A reverse proxy: requests and responses of any size stream through, and WebSockets are passed on message by message, with the
//! Close of either side. Features `tower` and `axum`.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use endwell::client::{Pool, PoolLimits};
use endwell::tokio::Tcp;
use endwell::ws::{Close, CloseCode, Content, ReceiveHalf, SendHalf, Socket, WebSocketUpgrade};
use endwell::{ClientConfig, ServerConfig, serve, with_service};
use http::StatusCode;
use http::uri::{Authority, Uri};
use tokio::net::TcpListener;
use tower::ServiceExt;

#[derive(Clone)]
struct Backend {
    pool: Pool<Tcp>,
    authority: Authority,
}

async fn pass_on(
    State(backend): State<Backend>,
    upgrade: WebSocketUpgrade,
    mut request: Request,
) -> Response {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    if request.headers().contains_key("upgrade") {
        let url = format!("ws://{}{target}", backend.authority);
        return match Socket::connect(&Tcp, &url, &ClientConfig::default()).await {
            Ok(behind) => upgrade.on_open(upgrade.acceptance(), |before| between(before, behind)),
            Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
        };
    }
    let uri = Uri::builder().scheme("http").authority(backend.authority).path_and_query(target).build();
    let Ok(uri) = uri else { return StatusCode::BAD_REQUEST.into_response() };
    *request.uri_mut() = uri;
    match backend.pool.oneshot(request).await {
        Ok(response) => response.map(axum::body::Body::new),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

async fn between(before: Socket, behind: Socket) {
    let ((to_client, from_client), (to_server, from_server)) = (before.split(), behind.split());
    tokio::join!(relay(from_client, to_server), relay(from_server, to_client));
}

/// Passes messages on to the end of one side, which ends the other.
async fn relay(mut from: ReceiveHalf, mut to: SendHalf) {
    let mut close = Close::from(CloseCode::GOING_AWAY);
    while let Some(message) = from.receive().await {
        match message.content() {
            Content::Text(_) | Content::Binary(_) => {
                if to.send(message).await.is_err() {
                    break;
                }
            }
            Content::Close(received) => close = received.clone(),
            // Each side has pings of its own.
            Content::Ping(_) | Content::Pong(_) => {}
        }
    }
    to.close(close).await;
}

/// `authority` is the host and port of the server behind it.
pub async fn run(listener: TcpListener, authority: Authority) {
    let pool = Pool::new(Tcp, ClientConfig::default(), PoolLimits::default());
    let router = Router::new().fallback(pass_on).with_state(Backend { pool, authority });
    serve(listener, ServerConfig::default(), with_service(router)).await;
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    run(TcpListener::bind("127.0.0.1:8080").await?, Authority::from_static("127.0.0.1:3000")).await;
    Ok(())
}
