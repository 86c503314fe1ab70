//! The body of one exchange does not come to another right.
#![allow(unused, unused_must_use)]
use bytes::Bytes;
use endwell_core::http::client::*;
use endwell_core::http::server::*;
use endwell_core::http::{FieldSection, Framing, Response, Request, Streaming};
use endwell_core::ws::{Idle, Receiving, Socket, Within};
use endwell_core::ws::{Acceptance, Close, Kind};
use endwell_core::{Closing, Io, Look, Instant, Upgraded};

fn main() {}

fn f(a: Exchange<Streaming>, b: Exchange<Streaming>) {
    let crossed = Exchange { right: a.right, ..b }; //~ E0616
    //~ twin: drop((a, b));
}
