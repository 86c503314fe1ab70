//! The receiving half ends too.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::Exchange;
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(mut recv: Receiver, sent: CloseSent) {
    let closing = recv.closing(sent);
    let ready = recv.poll(); //~ E0382
    //~ twin: drop(closing);
}
