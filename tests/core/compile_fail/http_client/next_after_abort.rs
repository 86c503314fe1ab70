//! A request that was cut off has no next one.
#![allow(unused, unused_must_use)]
use endwell_core::http::client::*;
use endwell_core::http::{ConnectHead, Framing, RequestHead, server};
use endwell_core::{Outbox, Step};

fn main() {}

fn f(body: Body, received: ResponseBody, sent: Finished) {
    let cut = body.abort();
    let next = received.after(cut); //~ E0308
    //~ twin: let next = received.after(sent);
}
