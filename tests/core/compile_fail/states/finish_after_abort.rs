//! A body that was cut off has no clean end.
#![allow(unused, unused_must_use)]
use bytes::Bytes;
use endwell_core::http::client::*;
use endwell_core::http::server::*;
use endwell_core::http::{Connect, FieldSection, Framing, Response, Interim, Request, Streaming};
use endwell_core::ws::{Idle, Receiving, Socket, Within};
use endwell_core::ws::{Acceptance, Close, Control, Kind, Masks, Offer, Subprotocol};
use endwell_core::{Closing, Io, Look, Instant, Upgraded};

fn main() {}

fn f(exchange: Exchange<Streaming>) {
    let closing = exchange.abort();
    let answered = exchange.finish(None); //~ E0382
    //~ twin: drop(closing);
}
