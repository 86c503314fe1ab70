//! The peer's Close is answered once.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::Exchange;
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(one: Sender, two: Sender, theirs: PeerClose, out: &mut Outbox) {
    let sent = one.answer(theirs, out);
    let sent = two.answer(theirs, out); //~ E0382
    //~ twin: drop(two);
}
