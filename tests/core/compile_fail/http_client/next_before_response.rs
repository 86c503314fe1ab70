//! A response whose head has not come makes no next request.
#![allow(unused, unused_must_use)]
use endwell_core::http::client::*;
use endwell_core::http::{ConnectHead, Framing, RequestHead, server};
use endwell_core::{Outbox, Step};

fn main() {}

fn f(response: Response, received: ResponseBody, sent: Finished) {
    let next = response.after(sent); //~ E0599
    //~ twin: let next = received.after(sent);
}
