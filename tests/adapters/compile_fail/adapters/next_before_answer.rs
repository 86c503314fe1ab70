//! Only the one task of a connection asks for its next request, and that one waits for the answer.
#![allow(unused, unused_must_use)]
use endwell::http::StatusCode;
use endwell::tokio::Tokio;
use endwell::{Exchange, Info, Server, ServerConfig, Transport};

fn main() {}

async fn f(transport: impl Transport) {
    let server = Server::new(ServerConfig::default(), async |exchange: Exchange| exchange.respond(StatusCode::OK, ""));
    let serving = server.connection(transport, Tokio, Info::default());
    let next = server.connection(transport, Tokio, Info::default()); //~ E0382
    //~ twin: let next = ();
    serving.await;
}
