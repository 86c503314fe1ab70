//! An answer that was begun takes the place of the exchange.
#![allow(unused, unused_must_use)]
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{Close, CloseCode, Kind};
use endwell::ws::Socket;
use endwell::{Answered, IntoAnswered, ServerConfig, Ended, Exchange, ResponseWriter, Upgraded, serve};

fn main() {}

fn f(exchange: Exchange) {
    let (request, body) = exchange.start(StatusCode::OK, Framing::Chunked);
    let answered = exchange.respond(StatusCode::OK, "again"); //~ E0382
    //~ twin: let answered = body.finish();
}
