//! The right to write cannot be doubled.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::Exchange;
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(send: Sender) {
    let (one, two): (Sender, Sender) = (send.clone(), send); //~ E0599
    //~ twin: let one = send;
}
