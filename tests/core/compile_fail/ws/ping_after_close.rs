//! Nor is a control frame.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::Exchange;
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(mut send: Sender, out: &mut Outbox) {
    let sent = send.close(Close::EMPTY, out);
    send.ping(Control::EMPTY, out); //~ E0382
    //~ twin: drop(sent);
}
