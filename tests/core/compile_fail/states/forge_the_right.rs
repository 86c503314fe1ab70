//! The right to write messages is only in an open WebSocket.
#![allow(unused, unused_must_use)]
use bytes::Bytes;
use endwell_core::http::client::*;
use endwell_core::http::server::*;
use endwell_core::http::{Connect, FieldSection, Framing, Response, Interim, Request};
use endwell_core::ws::{Idle, Receiving, Socket, Within};
use endwell_core::ws::{Acceptance, Close, Control, Kind, Masks, Offer, Subprotocol};
use endwell_core::{Closing, Io, Look, Instant, Upgraded};

fn main() {}

fn f(socket: Socket<Within>) {
    let right = Idle(()); //~ E0423
    //~ twin: let socket: Socket = socket.finish().unwrap();
}
