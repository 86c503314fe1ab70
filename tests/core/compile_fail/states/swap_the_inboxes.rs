//! An inbox is not lent.
#![allow(unused, unused_must_use)]
use bytes::Bytes;
use endwell_core::http::client::*;
use endwell_core::http::server::*;
use endwell_core::http::{FieldSection, Framing, Response, Request};
use endwell_core::ws::{Idle, Receiving, Socket, Within};
use endwell_core::ws::{Acceptance, Close, Kind};
use endwell_core::{Closing, Io, Look, Instant, Upgraded};

fn main() {}

fn f(a: &mut ServerConnection, b: &mut ServerConnection) {
    let inbox = a.inbox(); //~ E0599
    //~ twin: let unread = a.io().unread();
}
