//! One request is open at a time.
#![allow(unused, unused_must_use)]
use bytes::Bytes;
use endwell_core::http::client::*;
use endwell_core::http::server::*;
use endwell_core::http::{FieldSection, Framing, Response, Request};
use endwell_core::ws::{Idle, Receiving, Socket, Within};
use endwell_core::ws::{Acceptance, Close, Kind};
use endwell_core::{Closing, Io, Look, Instant, Upgraded};

fn main() {}

fn f(client: ClientConnection, head: &Request) {
    let call = client.send(head, Bytes::new());
    let other = client.send(head, Bytes::new()); //~ E0382
    //~ twin: drop(call);
}
