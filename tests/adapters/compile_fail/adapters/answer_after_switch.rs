//! An exchange that another protocol took is gone.
#![allow(unused, unused_must_use)]
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{Close, CloseCode, Kind};
use endwell::ws::Socket;
use endwell::{Answered, IntoAnswered, ServerConfig, Ended, Exchange, ResponseWriter, Upgraded, serve};

fn main() {}

fn f(exchange: Exchange) {
    let switched = exchange.switch("echo", &FieldSection::new());
    let answered = exchange.respond(StatusCode::OK, ""); //~ E0382
    //~ twin: drop(switched);
}
