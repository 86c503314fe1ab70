//! No message is written in the middle of another.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::Exchange;
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(mut send: Sender, out: &mut Outbox) {
    let mut pieces = send.fragments(Kind::Text);
    send.text("in between", out); //~ E0382
    //~ twin: send = pieces.finish(out);
}
