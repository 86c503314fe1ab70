//! After a handshake the exchange is gone.
#![allow(unused, unused_must_use)]
use bytes::Bytes;
use endwell_core::http::client::*;
use endwell_core::http::server::*;
use endwell_core::http::{FieldSection, Framing, Response, Request};
use endwell_core::ws::{Idle, Receiving, Socket, Within};
use endwell_core::ws::{Acceptance, Close, Kind};
use endwell_core::{Closing, Io, Look, Instant, Upgraded};

fn main() {}

fn f(exchange: Exchange, acceptance: Acceptance, head: &Response) {
    let socket = exchange.accept(acceptance, None);
    let answered = exchange.respond(head, Bytes::new(), None); //~ E0382
    //~ twin: drop(socket);
}
