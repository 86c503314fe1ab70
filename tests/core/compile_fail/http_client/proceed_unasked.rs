//! A body that is withheld wants to hear that it can go.
#![allow(unused, unused_must_use)]
use endwell_core::http::client::*;
use endwell_core::http::{ConnectHead, Framing, RequestHead, server};
use endwell_core::{Outbox, Step};

fn main() {}

fn f(body: Withheld, told: Continue) {
    let body = body.proceed(()); //~ E0308
    //~ twin: let body = body.proceed(told);
}
