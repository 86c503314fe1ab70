//! A server that gave an exchange is gone.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::*;
use endwell_core::http::{Field, FieldSection, Framing, Head, InterimHead, StatusCode};
use endwell_core::{Instant, Outbox, Step};

fn main() {}

fn f(server: Server) {
    let step = server.poll();
    let step = server.poll(); //~ E0382
    //~ twin: drop(step);
}
