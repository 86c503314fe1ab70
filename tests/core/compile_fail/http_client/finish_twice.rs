//! A body ends once.
#![allow(unused, unused_must_use)]
use endwell_core::http::client::*;
use endwell_core::http::{ConnectHead, Framing, RequestHead, server};
use endwell_core::{Outbox, Step};

fn main() {}

fn f(body: Body, out: &mut Outbox) {
    let sent = body.finish(None, out);
    let again = body.finish(None, out); //~ E0382
    //~ twin: drop(sent);
}
