//! A message that is lent is gone with the next poll.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::Exchange;
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(mut recv: Receiver, one: Ready) {
    let Ok(Event::Text(text)) = recv.event(one) else { return };
    let two = recv.poll(); //~ E0499
    //~ twin:
    drop(text);
}
