//! Handlers that share state, with routes by method and path.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use endwell::http::{Method, StatusCode};
use endwell::{Answered, Exchange, ServerConfig, serve, with_state};
use tokio::net::TcpListener;

#[derive(Default)]
struct App {
    visits: AtomicU64,
}

async fn route(app: Arc<App>, exchange: Exchange) -> Answered {
    match (exchange.method(), exchange.path()) {
        (Method::Get, "/") => {
            let visit = app.visits.fetch_add(1, Ordering::Relaxed) + 1;
            exchange.respond(StatusCode::OK, format!("visit {visit}"))
        }
        (_, "/") => exchange.respond(StatusCode::METHOD_NOT_ALLOWED, ""),
        _ => exchange.respond(StatusCode::NOT_FOUND, ""),
    }
}

pub async fn run(listener: TcpListener) {
    let app = Arc::new(App::default());
    serve(listener, ServerConfig::default(), with_state(app, route)).await;
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    run(TcpListener::bind("127.0.0.1:8080").await?).await;
    Ok(())
}
