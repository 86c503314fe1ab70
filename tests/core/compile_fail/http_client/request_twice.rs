//! One request at a time: sending consumes the right.
#![allow(unused, unused_must_use)]
use endwell_core::http::client::*;
use endwell_core::http::{ConnectHead, Framing, RequestHead, server};
use endwell_core::{Outbox, Step};

fn main() {}

fn f(client: Client, head: &RequestHead, out: &mut Outbox) {
    let first = client.send(head, "one".into(), out);
    let second = client.request(head, Framing::Chunked, out); //~ E0382
    //~ twin: drop(first);
}
