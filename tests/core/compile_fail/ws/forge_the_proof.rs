//! Only a Close that was written makes the proof of it.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::Exchange;
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(recv: Receiver, sent: CloseSent) {
    let sent = CloseSent(Close::EMPTY); //~ E0423
    //~ twin:
    let closing = recv.closing(sent);
}
