//! A next request before the response was read to its end.
#![allow(unused, unused_must_use)]
use endwell::client::{Body, Connection, NotUpgraded, Received, Response, Switched, Withheld};
use endwell::http::{Framing, Request};

fn main() {}

async fn f(received: Received, head: &Request) {
    let next = received.send(head, "two"); //~ E0599
    //~ twin: let next = received.finish().await.unwrap().send(head, "two");
}
