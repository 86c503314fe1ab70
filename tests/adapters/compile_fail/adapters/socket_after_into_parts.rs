//! A socket that was taken apart is gone.
#![allow(unused, unused_must_use)]
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{Close, CloseCode, Kind};
use endwell::ws::Socket;
use endwell::{Answered, IntoAnswered, ServerConfig, Ended, Exchange, ResponseWriter, Upgraded, serve};

fn main() {}

fn f(mut socket: Socket) {
    let parts = socket.into_parts();
    let sending = socket.send("more"); //~ E0382
    //~ twin: drop(parts);
}
