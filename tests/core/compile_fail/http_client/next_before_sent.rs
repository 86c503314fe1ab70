//! The next request exists only with the proof that this one is whole.
#![allow(unused, unused_must_use)]
use endwell_core::http::client::*;
use endwell_core::http::{ConnectHead, Framing, RequestHead, server};
use endwell_core::{Outbox, Step};

fn main() {}

fn f(body: Body, received: ResponseBody, sent: Finished) {
    let next = received.after(body); //~ E0308
    //~ twin: let next = received.after(sent);
}
