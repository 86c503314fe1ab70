//! One server with two listeners, which ends in order: what has begun is answered, and the report names what was late.

use std::future::Future;
use std::time::Duration;

use endwell::http::{Framing, StatusCode};
use endwell::{Answered, Ended, Exchange, Report, Server, ServerConfig};
use tokio::net::TcpListener;

async fn slow(exchange: Exchange) -> Result<Answered, Ended> {
    let (_, mut body) = exchange.start(StatusCode::OK, Framing::Chunked);
    body.write("working").await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    body.write(", done").await?;
    body.finish()
}

/// Serves until `stop` is ready, and then waits for at most `time`.
pub async fn run(listeners: [TcpListener; 2], stop: impl Future, time: Duration) -> Report {
    let server = Server::new(ServerConfig::default(), slow);
    let _listening = listeners.map(|listener| server.listen(listener));
    stop.await;
    server.shutdown(time).await
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listeners = [TcpListener::bind("127.0.0.1:8080").await?, TcpListener::bind("[::1]:8080").await?];
    let report = run(listeners, tokio::signal::ctrl_c(), Duration::from_secs(10)).await;
    println!("{report}");
    Ok(())
}
