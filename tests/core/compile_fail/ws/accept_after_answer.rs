//! A WebSocket takes a whole exchange, whose right to answer is unused.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::Exchange;
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(mut exchange: Exchange, acceptance: Acceptance, head: &Head, out: &mut Outbox) {
    let sent = exchange.send.respond(head, "no".into(), None, &mut exchange.recv, out);
    let socket = exchange.accept(acceptance, None, out); //~ E0382
    //~ twin: let after = exchange.recv.after(sent);
}
