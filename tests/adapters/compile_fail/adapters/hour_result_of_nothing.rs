//! A handler that has responded returns the proof, also in a Result.
#![allow(unused, unused_must_use)]
use std::sync::Arc;

use endwell::http::StatusCode;
use endwell::{Answered, Ended, Exchange, ServerConfig, serve, with_state};

fn main() {}

async fn handle(exchange: Exchange) -> std::io::Result<()> {
    exchange.respond(StatusCode::OK, "hello");
    Ok(())
}

async fn f(listener: tokio::net::TcpListener) {
    serve(listener, ServerConfig::default(), handle).await; //~ E0277
    //~ twin:
    //~ says: a handler returns `Answered`, or a `Result` of it, and not `Result<(), std::io::Error>`
    //~ says: `exchange.respond(status, body)` returns `Answered`: return it from the handler, without a `;` behind it
}
