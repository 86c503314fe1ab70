//! A request is answered once.
#![allow(unused, unused_must_use)]
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{Close, CloseCode, Kind};
use endwell::ws::Socket;
use endwell::{Answered, IntoAnswered, ServerConfig, Ended, Exchange, ResponseWriter, Upgraded, serve};

fn main() {}

fn f(exchange: Exchange) {
    let answered = exchange.respond(StatusCode::OK, "one");
    let answered = exchange.respond(StatusCode::OK, "two"); //~ E0382
    //~ twin: drop(answered);
}
