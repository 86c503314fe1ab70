//! Whoever asks for a tunnel has no other request to send.
#![allow(unused, unused_must_use)]
use endwell_core::http::client::*;
use endwell_core::http::{ConnectHead, Framing, RequestHead, server};
use endwell_core::{Outbox, Step};

fn main() {}

fn f(client: Client, head: &ConnectHead, other: &RequestHead, out: &mut Outbox) {
    let tunnel = client.tunnel(head, out);
    let request = client.send(other, "".into(), out); //~ E0382
    //~ twin: drop(tunnel);
}
