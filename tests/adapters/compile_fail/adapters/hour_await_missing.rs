//! What waits is awaited.
#![allow(unused, unused_must_use)]
use endwell::http::StatusCode;
use endwell::{Answered, Ended, Exchange, ServerConfig, serve};

fn main() {}

async fn handle(mut exchange: Exchange) -> Result<Answered, Ended> {
    let body = exchange.read_all(1000)?; //~ E0277
    //~ twin: let body = exchange.read_all(1000).await?;
    Ok(exchange.respond(StatusCode::OK, body))
}
