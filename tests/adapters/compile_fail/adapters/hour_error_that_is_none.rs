//! An error of a handler implements Error.
#![allow(unused, unused_must_use)]
use std::sync::Arc;

use endwell::http::StatusCode;
use endwell::{Answered, Ended, Exchange, ServerConfig, serve, with_state};

fn main() {}

#[derive(Debug)]
struct Mine;

async fn handle(exchange: Exchange) -> Result<Answered, Mine> {
    Err(Mine)
}

async fn f(listener: tokio::net::TcpListener) {
    serve(listener, ServerConfig::default(), handle).await; //~ E0277
    //~ twin: serve(listener, ServerConfig::default(), async |exchange: Exchange| handle(exchange).await.map_err(|_| "mine")).await;
    //~ says: the error of a `Result<Answered, E>` is any type that implements `std::error::Error + Send + Sync`, or `anyhow::Error`
}
