//! Before the answer to a handshake there is nothing to write with.
#![allow(unused, unused_must_use)]
use endwell_core::http::RequestHead;
use endwell_core::http::client::*;
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(mut handshake: Handshake, out: &mut Outbox) {
    handshake.send.text("early", out); //~ E0609
    //~ twin: let step = handshake.poll();
}
