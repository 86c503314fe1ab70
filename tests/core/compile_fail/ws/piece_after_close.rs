//! Nor has one that a Close cut off.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::Exchange;
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(mut pieces: Fragments, out: &mut Outbox) {
    let sent = pieces.close(Close::EMPTY, out);
    pieces.write("late".into(), out); //~ E0382
    //~ twin: drop(sent);
}
