//! State is passed, not captured.
#![allow(unused, unused_must_use)]
use std::sync::Arc;

use endwell::http::StatusCode;
use endwell::{Answered, Ended, Exchange, ServerConfig, serve, with_state};

fn main() {}

async fn f(listener: tokio::net::TcpListener, greeting: Arc<str>) {
    serve(listener, ServerConfig::default(), async move |exchange: Exchange| exchange.respond(StatusCode::OK, greeting.to_string())).await; //~ "captures state from its environment"
    //~ twin: serve(listener, ServerConfig::default(), with_state(greeting, async |greeting: Arc<str>, exchange: Exchange| exchange.respond(StatusCode::OK, greeting.to_string()))).await;
}
