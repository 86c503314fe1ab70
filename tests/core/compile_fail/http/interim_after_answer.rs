//! No interim response follows a final one.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::*;
use endwell_core::http::{Field, FieldSection, Framing, Head, InterimHead, StatusCode};
use endwell_core::{Instant, Outbox, Step};

fn main() {}

fn f(mut send: Responder, recv: &RequestBody, head: &Head, out: &mut Outbox) {
    let body = send.start(head, Framing::Chunked, None, recv, out);
    send.interim(&InterimHead::early_hints(), out); //~ E0382
    //~ twin: drop(body);
}
