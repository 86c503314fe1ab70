//! A server that gave a request is used up.
#![allow(unused, unused_must_use)]
use bytes::Bytes;
use endwell_core::http::client::*;
use endwell_core::http::server::*;
use endwell_core::http::{Connect, FieldSection, Framing, Response, Interim, Request};
use endwell_core::ws::{Idle, Receiving, Socket, Within};
use endwell_core::ws::{Acceptance, Close, Control, Kind, Masks, Offer, Subprotocol};
use endwell_core::{Closing, Io, Look, Instant, Upgraded};

fn main() {}

fn f(server: ServerConnection) {
    let next = server.poll();
    let again = server.poll(); //~ E0382
    //~ twin: drop(next);
}
