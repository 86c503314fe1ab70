//! A session that is closed is gone.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::Exchange;
use endwell_core::http::{Head, StatusCode};
use endwell_core::ws::*;
use endwell_core::{Outbox, Step};

fn main() {}

fn f(mut session: Session, out: &mut Outbox) {
    let closing = session.close(Close::EMPTY, out);
    let writing = session.writing(); //~ E0382
    //~ twin: drop(closing);
}
