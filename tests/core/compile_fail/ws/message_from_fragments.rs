//! The pieces of a message are not messages.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::Exchange;
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(mut pieces: Fragments, out: &mut Outbox) {
    pieces.text("in between", out); //~ E0599
    //~ twin: pieces.write("a piece".into(), out);
}
