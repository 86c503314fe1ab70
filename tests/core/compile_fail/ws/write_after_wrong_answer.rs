//! A handshake that failed leaves an error, and no writer.
#![allow(unused, unused_must_use)]
use endwell_core::http::RequestHead;
use endwell_core::http::client::*;
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(handshake: Handshake, out: &mut Outbox) {
    if let Err(failure) = handshake.poll() {
        failure.send.text("hello", out); //~ E0609
        //~ twin: drop(failure);
    }
}
