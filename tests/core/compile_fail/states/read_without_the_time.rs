//! A read says when.
#![allow(unused, unused_must_use)]
use bytes::Bytes;
use endwell_core::http::client::*;
use endwell_core::http::server::*;
use endwell_core::http::{FieldSection, Framing, Response, Request};
use endwell_core::ws::{Idle, Receiving, Socket, Within};
use endwell_core::ws::{Acceptance, Close, Kind};
use endwell_core::{Closing, Io, Look, Instant, Upgraded};

fn main() {}

fn f(server: &mut ServerConnection, now: Instant) {
    let arrived = server.io().read(|_: &mut [u8]| Ok::<_, ()>(Look::Nothing)); //~ E0061
    //~ twin: let arrived = server.io().read(now, |_: &mut [u8]| Ok::<_, ()>(Look::Nothing));
}
