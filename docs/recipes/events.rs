//! A stream of server-sent events, which ends as soon as its reader has left.

use std::time::Duration;

use endwell::http::{Field, Framing, Response, StatusCode};
use endwell::{Answered, Ended, Exchange, ServerConfig, serve};
use tokio::net::TcpListener;
use tokio::time::interval;

const EVENTS: Field<'_> = Field::from_static("content-type", "text/event-stream");

async fn events(exchange: Exchange) -> Result<Answered, Ended> {
    let head = Response::new(StatusCode::OK).with(EVENTS);
    let (_, mut body) = exchange.start(head, Framing::Chunked);
    let mut ticks = interval(Duration::from_millis(200));
    for number in 0.. {
        tokio::select! {
            _ = ticks.tick() => body.write(format!("data: {number}\n\n")).await?,
            ended = body.gone() => return Err(ended),
        }
    }
    body.finish()
}

/// `told` hears how each stream ended.
pub async fn run(listener: TcpListener, told: impl Fn(String) + Send + Sync + 'static) {
    let config = ServerConfig::default().on_end(move |info, ended| told(format!("{}: {ended}", info.peer)));
    serve(listener, config, events).await;
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    run(TcpListener::bind("127.0.0.1:8080").await?, |line| println!("{line}")).await;
    Ok(())
}
