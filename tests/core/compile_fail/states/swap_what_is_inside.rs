//! Nothing inside a connection has a name to swap by.
#![allow(unused, unused_must_use)]
use bytes::Bytes;
use endwell_core::http::client::*;
use endwell_core::http::server::*;
use endwell_core::http::{FieldSection, Framing, Response, Request};
use endwell_core::ws::{Idle, Receiving, Socket, Within};
use endwell_core::ws::{Acceptance, Close, Kind};
use endwell_core::{Closing, Io, Look, Instant, Upgraded};

fn main() {}

fn f(a: &mut Exchange, b: &mut Exchange) {
    let inside = &mut a.inner; //~ E0616
    //~ twin: std::mem::swap(a, b);
}
