//! An answered request has no second body.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::*;
use endwell_core::http::{Field, FieldSection, Framing, Head, InterimHead, StatusCode};
use endwell_core::{Instant, Outbox, Step};

fn main() {}

fn f(send: Responder, recv: &mut RequestBody, head: &Head, out: &mut Outbox) {
    let sent = send.respond(head, "one".into(), None, recv, out);
    let body = send.start(head, Framing::Chunked, None, recv, out); //~ E0382
    //~ twin: drop(sent);
}
