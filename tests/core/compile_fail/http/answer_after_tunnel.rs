//! Behind a tunnel there is no response.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::*;
use endwell_core::http::{Field, FieldSection, Framing, Head, InterimHead, StatusCode};
use endwell_core::{Instant, Outbox, Step};

fn main() {}

fn f(mut exchange: Exchange, head: &Head, out: &mut Outbox) {
    let tunnel = exchange.tunnel(&FieldSection::new(), None, out);
    let sent = exchange.send.respond(head, "late".into(), None, &mut exchange.recv, out); //~ E0382
    //~ twin: drop(tunnel);
}
