//! A server that stops takes no further listener.
#![allow(unused, unused_must_use)]
use std::time::Duration;

use endwell::http::StatusCode;
use endwell::{Exchange, Listener, Server, ServerConfig};

fn main() {}

async fn f(listener: impl Listener + Sync) {
    let server = Server::new(ServerConfig::default(), async |exchange: Exchange| exchange.respond(StatusCode::OK, ""));
    server.shutdown(Duration::ZERO).await;
    server.listen(listener); //~ E0382
    //~ twin: drop(listener);
}
