//! An exchange that was accepted is gone.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::Exchange;
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(mut exchange: Exchange, acceptance: Acceptance, head: &Head, out: &mut Outbox) {
    let socket = exchange.accept(acceptance, None, out);
    exchange.send.respond(head, "no".into(), None, &mut exchange.recv, out); //~ E0382
    //~ twin: drop(socket);
}
