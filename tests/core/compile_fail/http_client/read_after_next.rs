//! Behind the response is the next request, and nothing more of this one.
#![allow(unused, unused_must_use)]
use endwell_core::http::client::*;
use endwell_core::http::{ConnectHead, Framing, RequestHead, server};
use endwell_core::{Outbox, Step};

fn main() {}

fn f(mut received: ResponseBody, sent: Finished) {
    let next = received.after(sent);
    let more = received.poll(); //~ E0382
    //~ twin: drop(next);
}
