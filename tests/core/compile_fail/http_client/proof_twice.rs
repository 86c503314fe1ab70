//! One request makes one next.
#![allow(unused, unused_must_use)]
use endwell_core::http::client::*;
use endwell_core::http::{ConnectHead, Framing, RequestHead, server};
use endwell_core::{Outbox, Step};

fn main() {}

fn f(one: ResponseBody, other: ResponseBody, sent: Finished) {
    let next = one.after(sent);
    let more = other.after(sent); //~ E0382
    //~ twin: drop(next);
}
