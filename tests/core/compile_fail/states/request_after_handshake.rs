//! No request is sent after one for a WebSocket.
#![allow(unused, unused_must_use)]
use bytes::Bytes;
use endwell_core::http::client::*;
use endwell_core::http::server::*;
use endwell_core::http::{Connect, FieldSection, Framing, Response, Interim, Request};
use endwell_core::ws::{Idle, Receiving, Socket, Within};
use endwell_core::ws::{Acceptance, Close, Control, Kind, Masks, Offer, Subprotocol};
use endwell_core::{Closing, Io, Look, Instant, Upgraded};

fn main() {}

fn f(client: ClientConnection, offer: Offer, masks: Masks, head: &Request) {
    let handshake = client.websocket(offer, masks);
    let call = client.send(head, Bytes::new()); //~ E0382
    //~ twin: drop(handshake);
}
