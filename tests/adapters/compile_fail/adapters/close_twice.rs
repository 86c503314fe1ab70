//! A Close is written once.
#![allow(unused, unused_must_use)]
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{Close, CloseCode, Kind};
use endwell::ws::Socket;
use endwell::{Answered, IntoAnswered, ServerConfig, Ended, Exchange, ResponseWriter, Upgraded, serve};

fn main() {}

fn f(socket: Socket) {
    let ended = socket.close(CloseCode::NORMAL);
    let ended = socket.close(CloseCode::NORMAL); //~ E0382
    //~ twin: drop(ended);
}
