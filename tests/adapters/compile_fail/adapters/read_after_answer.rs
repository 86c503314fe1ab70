//! After the answer nothing of the request is read.
#![allow(unused, unused_must_use)]
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{Close, CloseCode, Kind};
use endwell::ws::Socket;
use endwell::{Answered, IntoAnswered, ServerConfig, Ended, Exchange, ResponseWriter, Upgraded, serve};

fn main() {}

async fn f(mut exchange: Exchange) {
    let answered = exchange.respond(StatusCode::OK, "");
    exchange.read().await; //~ E0382
    //~ twin: drop(answered);
}
