//! Whoever asks for a WebSocket has no request to send beside it.
#![allow(unused, unused_must_use)]
use endwell_core::http::RequestHead;
use endwell_core::http::client::*;
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(client: Client, offer: Offer, masks: Masks, head: &RequestHead, out: &mut Outbox) {
    let handshake = client.upgrade(offer, masks, out);
    let request = client.send(head, "".into(), out); //~ E0382
    //~ twin: drop(handshake);
}
