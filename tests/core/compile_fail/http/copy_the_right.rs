//! The right to answer cannot be doubled.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::*;
use endwell_core::http::{Field, FieldSection, Framing, Head, InterimHead, StatusCode};
use endwell_core::{Instant, Outbox, Step};

fn main() {}

fn f(send: Responder) {
    let (one, two): (Responder, Responder) = (send.clone(), send); //~ E0599
    //~ twin: let one = send;
}
