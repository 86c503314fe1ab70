//! Data messages do not interleave.
#![allow(unused, unused_must_use)]
use bytes::Bytes;
use endwell_core::http::client::*;
use endwell_core::http::server::*;
use endwell_core::http::{FieldSection, Framing, Response, Request};
use endwell_core::ws::{Idle, Receiving, Socket, Within};
use endwell_core::ws::{Acceptance, Close, Kind};
use endwell_core::{Closing, Io, Look, Instant, Upgraded};

fn main() {}

fn f(mut socket: Socket<Within>) {
    socket.writer().text("between"); //~ E0599
    //~ twin: socket.writer().write(Bytes::new());
}
