//! Only a request that was written makes the proof of it.
#![allow(unused, unused_must_use)]
use endwell_core::http::client::*;
use endwell_core::http::{ConnectHead, Framing, RequestHead, server};
use endwell_core::{Outbox, Step};

fn main() {}

fn f(received: ResponseBody, sent: Finished) {
    let next = received.after(Finished(())); //~ E0423
    //~ twin: let next = received.after(sent);
}
