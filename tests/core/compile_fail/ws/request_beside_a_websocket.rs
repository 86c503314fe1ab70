//! A connection that became a WebSocket is no client of HTTP any more.
#![allow(unused, unused_must_use)]
use endwell_core::http::RequestHead;
use endwell_core::http::client::*;
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(handshake: Handshake, head: &RequestHead, out: &mut Outbox) {
    if let Ok(Step::Done(Opening::Open(socket, answer))) = handshake.poll() {
        let again = handshake.poll(); //~ E0382
        //~ twin: drop(socket);
    }
}
