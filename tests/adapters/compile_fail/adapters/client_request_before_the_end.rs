//! A next request before the response was read to its end.
#![allow(unused, unused_must_use)]
use endwell::client::{RequestWriter, Connection, NotUpgraded, ResponseReader, ResponseFuture, Switched, ContinueFuture};
use endwell::http::{Framing, Request};

fn main() {}

async fn f(received: ResponseReader, head: &Request) {
    let next = received.send(head, "two"); //~ E0599
    //~ twin: let next = received.finish().await.unwrap().send(head, "two");
}
