//! A peer that failed is told, and nothing more.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::Exchange;
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(mut send: Sender, failure: Failure, out: &mut Outbox) {
    let sent = send.fail(failure, out);
    send.text("more", out); //~ E0382
    //~ twin: drop(sent);
}
