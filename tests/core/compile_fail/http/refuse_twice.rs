//! A refusal is the last word.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::*;
use endwell_core::http::{Field, FieldSection, Framing, Head, InterimHead, StatusCode};
use endwell_core::{Instant, Outbox, Step};

fn main() {}

fn f(refusal: Refusal, out: &mut Outbox) {
    let linger = refusal.write(None, out);
    let linger = refusal.write(None, out); //~ E0382
    //~ twin: drop(linger);
}
