//! Another protocol takes a whole exchange, whose right to answer is unused.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::*;
use endwell_core::http::{Field, FieldSection, Framing, Head, InterimHead, StatusCode};
use endwell_core::{Instant, Outbox, Step};

fn main() {}

fn f(exchange: Exchange, head: &Head, out: &mut Outbox) {
    let Exchange { head: request, expect, mut recv, send } = exchange;
    let sent = send.respond(head, "no".into(), None, &mut recv, out);
    let exchange = Exchange { head: request, expect, recv, send }; //~ E0382
    //~ twin: let after = recv.after(sent);
}
