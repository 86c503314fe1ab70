//! A handler returns what responding returns, without a semicolon.
#![allow(unused, unused_must_use)]
use std::sync::Arc;

use endwell::http::StatusCode;
use endwell::{Answered, Ended, Exchange, ServerConfig, serve, with_state};

fn main() {}

async fn f(listener: tokio::net::TcpListener) {
    serve(listener, ServerConfig::default(), async |exchange: Exchange| { exchange.respond(StatusCode::OK, "hello"); }).await; //~ E0277
    //~ twin: serve(listener, ServerConfig::default(), async |exchange: Exchange| { exchange.respond(StatusCode::OK, "hello") }).await;
    //~ says: a handler returns `Answered`, or a `Result` of it, and not `()`
    //~ says: `exchange.respond(status, body)` returns `Answered`: return it from the handler, without a `;` behind it
}
