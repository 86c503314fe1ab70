//! A body that is finished takes nothing more.
#![allow(unused, unused_must_use)]
use endwell_core::http::client::*;
use endwell_core::http::{ConnectHead, Framing, RequestHead, server};
use endwell_core::{Outbox, Step};

fn main() {}

fn f(mut body: Body, out: &mut Outbox) {
    let sent = body.finish(None, out);
    body.write("more".into(), out); //~ E0382
    //~ twin: drop(sent);
}
