//! Reading a response whose connection was given back.
#![allow(unused, unused_must_use)]
use endwell::client::{RequestWriter, Connection, NotUpgraded, ResponseReader, ResponseFuture, Switched, ContinueFuture};
use endwell::http::{Framing, Request};

fn main() {}

async fn f(mut received: ResponseReader) {
    let connection = received.finish().await;
    received.read().await; //~ E0382
    //~ twin: drop(connection);
}
