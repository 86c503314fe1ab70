//! A refusal is sent once.
#![allow(unused, unused_must_use)]
use bytes::Bytes;
use endwell_core::http::calling::*;
use endwell_core::http::serving::*;
use endwell_core::http::{FieldSection, Framing, Head, RequestHead};
use endwell_core::ws::socket::{Idle, Receiving, Socket, Within};
use endwell_core::ws::{Acceptance, Close, Kind};
use endwell_core::{Closing, Io, Look, Instant, Upgraded};

fn main() {}

fn f(refusal: Refusal) {
    let closing = refusal.answer(None);
    let again = refusal.answer(None); //~ E0382
    //~ twin: drop(closing);
}
