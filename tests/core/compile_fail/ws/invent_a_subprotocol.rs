//! Only a request offers a subprotocol.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::Exchange;
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(acceptance: Acceptance, offered: Subprotocol) {
    let offered = Subprotocol("chat".into()); //~ E0423
    //~ twin:
    let acceptance = acceptance.subprotocol(offered);
}
