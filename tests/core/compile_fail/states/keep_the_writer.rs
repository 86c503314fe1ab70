//! A writer does not outlive the body that it writes.
#![allow(unused, unused_must_use)]
use bytes::Bytes;
use endwell_core::http::client::*;
use endwell_core::http::server::*;
use endwell_core::http::{FieldSection, Framing, Response, Request, Streaming};
use endwell_core::ws::{Idle, Receiving, Socket, Within};
use endwell_core::ws::{Acceptance, Close, Kind};
use endwell_core::{Closing, Io, Look, Instant, Upgraded};

fn main() {}

fn f(mut exchange: Exchange<Streaming>) {
    let mut writer = exchange.writer();
    let answered = exchange.finish(None); //~ E0505
    //~ twin: writer.room();
    writer.write(Bytes::new());
}
