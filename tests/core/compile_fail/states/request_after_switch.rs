//! No request is sent after one for another protocol.
#![allow(unused, unused_must_use)]
use bytes::Bytes;
use endwell_core::http::client::*;
use endwell_core::http::{Request, Upgrade};

fn main() {}

fn f(client: ClientConnection, upgrade: Upgrade, head: &Request) {
    let handshake = client.switch(upgrade, Bytes::new());
    let call = client.send(head, Bytes::new()); //~ E0382
    //~ twin: drop(handshake);
}
