//! A handler is async.
#![allow(unused, unused_must_use)]
use std::sync::Arc;

use endwell::http::StatusCode;
use endwell::{Answered, Ended, Exchange, ServerConfig, serve, with_state};

fn main() {}

async fn f(listener: tokio::net::TcpListener) {
    serve(listener, ServerConfig::default(), |exchange: Exchange| exchange.respond(StatusCode::OK, "hello")).await; //~ E0277
    //~ twin: serve(listener, ServerConfig::default(), async |exchange: Exchange| exchange.respond(StatusCode::OK, "hello")).await;
}
