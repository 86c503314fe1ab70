//! The proof of a whole response is none of a whole request.
#![allow(unused, unused_must_use)]
use endwell_core::http::client::*;
use endwell_core::http::{ConnectHead, Framing, RequestHead, server};
use endwell_core::{Outbox, Step};

fn main() {}

fn f(received: ResponseBody, sent: Finished, written: server::Finished) {
    let next = received.after(written); //~ E0308
    //~ twin: let next = received.after(sent);
}
