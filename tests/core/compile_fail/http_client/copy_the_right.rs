//! The right to send a request cannot be copied.
#![allow(unused, unused_must_use)]
use endwell_core::http::client::*;
use endwell_core::http::{ConnectHead, Framing, RequestHead, server};
use endwell_core::{Outbox, Step};

fn main() {}

fn f(client: Client) {
    let other = client.clone(); //~ E0599
    //~ twin: let other = client;
}
