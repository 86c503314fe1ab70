//! State of each connection, and a name for each request: the client's X-Request-Id, or one of ours, is in the log and in the
//! response.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use endwell::http::{Response, StatusCode};
use endwell::{Answered, Exchange, ServerConfig, serve};
use tokio::net::TcpListener;

/// Made when a connection begins, and seen by each of its exchanges.
struct Session {
    since: Instant,
    requests: AtomicU64,
}

/// The name that a proxy before us has given the request, if it is a short word; or else ours.
fn request_id(exchange: &Exchange) -> String {
    let is_word = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let theirs = exchange.fields().get_str("x-request-id").filter(is_word);
    theirs.map_or_else(|| exchange.id().to_string(), str::to_owned)
}

async fn handle(exchange: Exchange) -> Answered {
    let id = request_id(&exchange);
    let number =
        exchange.info::<Session>().map_or(0, |session| session.requests.fetch_add(1, Ordering::Relaxed) + 1);
    println!("{id}: {} {}", exchange.method(), exchange.target());
    let head = Response::new(StatusCode::OK).header("x-request-id", &id);
    exchange.respond(head.unwrap_or(StatusCode::OK.into()), format!("request {number} of this connection"))
}

pub async fn run(listener: TcpListener) {
    let config = ServerConfig::default()
        .on_begin(|info| info.insert(Session { since: Instant::now(), requests: AtomicU64::new(0) }))
        .on_end(|info, ended| {
            if let Some(session) = info.get::<Session>() {
                let requests = session.requests.load(Ordering::Relaxed);
                println!("{}: {requests} requests in {:?}, {ended}", info.peer, session.since.elapsed());
            }
        });
    serve(listener, config, handle).await;
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    run(TcpListener::bind("127.0.0.1:8080").await?).await;
    Ok(())
}
