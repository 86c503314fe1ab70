//! After our own Close the peer's is not answered.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::Exchange;
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(send: Sender, theirs: PeerClose, out: &mut Outbox) {
    let sent = send.close(Close::EMPTY, out);
    let sent = send.answer(theirs, out); //~ E0382
    //~ twin: drop(sent);
}
