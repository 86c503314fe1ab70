//! A handler that does not answer is no handler.
#![allow(unused, unused_must_use)]
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{Close, CloseCode, Kind};
use endwell::ws::Socket;
use endwell::{Answered, IntoAnswered, ServerConfig, Ended, Exchange, ResponseWriter, Upgraded, serve};

fn main() {}

async fn f(listener: tokio::net::TcpListener) {
    serve(listener, ServerConfig::default(), async |exchange: Exchange| {}); //~ E0277
    //~ twin: serve(listener, ServerConfig::default(), async |exchange: Exchange| exchange.respond(StatusCode::OK, ""));
}
