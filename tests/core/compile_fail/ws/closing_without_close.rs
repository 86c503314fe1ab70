//! Who has not closed does not wait for the peer's Close.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::Exchange;
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(recv: Receiver, send: Sender, out: &mut Outbox) {
    let closing = recv.closing(send); //~ E0308
    //~ twin: let closing = recv.closing(send.close(Close::EMPTY, out));
}
