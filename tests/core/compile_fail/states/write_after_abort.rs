//! Nothing is written after a request was given up.
#![allow(unused, unused_must_use)]
use bytes::Bytes;
use endwell_core::http::client::*;
use endwell_core::http::server::*;
use endwell_core::http::{Connect, FieldSection, Framing, Response, Interim, Request, Streaming};
use endwell_core::ws::{Idle, Receiving, Socket, Within};
use endwell_core::ws::{Acceptance, Close, Control, Kind, Masks, Offer, Subprotocol};
use endwell_core::{Closing, Io, Look, Instant, Upgraded};

fn main() {}

fn f(mut call: Call<Streaming>) {
    let closing = call.abort();
    call.writer().write(Bytes::new()); //~ E0382
    //~ twin: drop(closing);
}
