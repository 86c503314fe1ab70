//! A call whose next state is not used is told. Dropping a state compiles.
#![allow(unused)]
#![deny(unused_must_use)]
use bytes::Bytes;
use endwell_core::http::client::*;
use endwell_core::http::server::*;
use endwell_core::http::{FieldSection, Framing, Response, Request};
use endwell_core::ws::{Idle, Receiving, Socket, Within};
use endwell_core::ws::{Acceptance, Close, Kind};
use endwell_core::{Closing, Io, Look, Instant, Upgraded};

fn main() {}

fn f(a: Exchange<Answered>) {
    a.next(); //~ unused_must_use
    //~ twin: drop(a);
}
