//! A view gives one event: two tokens of one message cannot be held.
#![allow(unused, unused_must_use)]
use bytes::Bytes;
use endwell_core::http::client::*;
use endwell_core::http::server::*;
use endwell_core::http::{FieldSection, Framing, Response, Request};
use endwell_core::ws::{Idle, Receiving, Socket, Within};
use endwell_core::ws::{Acceptance, Close, Kind};
use endwell_core::{Closing, Io, Look, Instant, Upgraded};

fn main() {}

fn f(mut exchange: Exchange) {
    let body = exchange.body();
    let first = body.event();
    let second = body.event(); //~ E0382
    //~ twin: let second = ();
}
