//! An expectation is met once.
#![allow(unused, unused_must_use)]
use endwell_core::http::client::*;
use endwell_core::http::{ConnectHead, Framing, RequestHead, server};
use endwell_core::{Outbox, Step};

fn main() {}

fn f(one: Withheld, other: Withheld, told: Continue) {
    let first = one.proceed(told);
    let second = other.proceed(told); //~ E0382
    //~ twin: drop(first);
}
