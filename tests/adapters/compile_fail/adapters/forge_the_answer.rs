//! Only answering makes the proof of it.
#![allow(unused, unused_must_use)]
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{Close, CloseCode, Kind};
use endwell::ws::Socket;
use endwell::{Answered, IntoAnswered, ServerConfig, Ended, Exchange, ResponseWriter, Upgraded, serve};

fn main() {}

async fn f(exchange: Exchange) -> Answered {
    Answered(()) //~ E0423
    //~ twin: exchange.respond(StatusCode::OK, "")
}
