//! Nor is a message in pieces.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::Exchange;
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(send: Sender, out: &mut Outbox) {
    let one = send.fragments(Kind::Text);
    let two = send.fragments(Kind::Binary); //~ E0382
    //~ twin: drop(one);
}
