//! After a handshake that failed there is an exchange, and no WebSocket.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::Exchange;
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(exchange: Exchange, acceptance: Acceptance, out: &mut Outbox) {
    if let Err((reason, mut exchange)) = exchange.accept(acceptance, None, out) {
        exchange.send.text("hello", out); //~ E0599
        //~ twin: exchange.send.respond(&reason.head(), "no".into(), None, &mut exchange.recv, out);
    }
}
