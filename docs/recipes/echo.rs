//! A WebSocket server that sends back what it receives.

use endwell::ws::Close;
use endwell::{Answered, Ended, Exchange, ServerConfig, serve};
use tokio::net::TcpListener;

async fn echo(exchange: Exchange) -> Result<Answered, Ended> {
    let acceptance = exchange.acceptance();
    let mut socket = match exchange.accept(acceptance) {
        Ok(socket) => socket,
        Err((reason, exchange)) => return Ok(exchange.respond(reason.head(), reason.to_string())),
    };
    while let Some(message) = socket.receive_data().await {
        socket.send(message).await?;
    }
    Err(socket.close(Close::EMPTY).await)
}

pub async fn run(listener: TcpListener) {
    serve(listener, ServerConfig::default(), echo).await;
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    run(TcpListener::bind("127.0.0.1:8080").await?).await;
    Ok(())
}
