//! State is cloned for each request.
#![allow(unused, unused_must_use)]
use std::sync::Arc;

use endwell::http::StatusCode;
use endwell::{Answered, Ended, Exchange, ServerConfig, serve, with_state};

fn main() {}

struct App(String);

async fn handle(app: Arc<App>, exchange: Exchange) -> Answered {
    exchange.respond(StatusCode::OK, app.0.clone())
}

async fn g(app: App, exchange: Exchange) -> Answered {
    exchange.respond(StatusCode::OK, app.0)
}

async fn f(listener: tokio::net::TcpListener) {
    with_state(App("hello".into()), g); //~ E0277
    //~ twin: serve(listener, ServerConfig::default(), with_state(Arc::new(App("hello".into())), handle));
}
