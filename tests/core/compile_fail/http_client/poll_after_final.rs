//! A response whose head has come is polled no more for one.
#![allow(unused, unused_must_use)]
use endwell_core::http::client::*;
use endwell_core::http::{ConnectHead, Framing, RequestHead, server};
use endwell_core::{Outbox, Step};

fn main() {}

fn f(response: Response) {
    let step = response.poll();
    let again = response.poll(); //~ E0382
    //~ twin: drop(step);
}
