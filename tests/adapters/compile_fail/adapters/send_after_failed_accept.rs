//! After a handshake that failed there is an exchange, and no socket.
#![allow(unused, unused_must_use)]
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{Close, CloseCode, Kind};
use endwell::ws::Socket;
use endwell::{Answered, IntoAnswered, ServerConfig, Ended, Exchange, ResponseWriter, Upgraded, serve};

fn main() {}

fn f(exchange: Exchange) {
    let acceptance = exchange.acceptance();
    if let Err((reason, exchange)) = exchange.accept(acceptance) {
        let sending = exchange.send("hello"); //~ E0599
        //~ twin: let answered = exchange.respond(reason.head(), "no");
    }
}
