//! A handshake that was refused leaves a response, and no writer.
#![allow(unused, unused_must_use)]
use endwell_core::http::RequestHead;
use endwell_core::http::client::*;
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(handshake: Handshake, out: &mut Outbox) {
    if let Ok(Step::Done(Opening::Refused(mut received, sent))) = handshake.poll() {
        received.send.text("hello", out); //~ E0609
        //~ twin: received.body.after(sent);
    }
}
