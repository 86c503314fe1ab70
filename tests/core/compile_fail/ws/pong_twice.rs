//! A Ping is answered once.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::Exchange;
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(mut send: Sender, ping: Ping<'_>, out: &mut Outbox) {
    send.pong(ping, out);
    send.pong(ping, out); //~ E0382
    //~ twin: send.settle(out);
}
