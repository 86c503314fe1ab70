//! Reading a response whose connection was given back.
#![allow(unused, unused_must_use)]
use endwell::client::{Body, Connection, NotUpgraded, Received, Response, Switched, Withheld};
use endwell::http::{Framing, Request};

fn main() {}

async fn f(mut received: Received) {
    let connection = received.finish().await;
    received.read().await; //~ E0382
    //~ twin: drop(connection);
}
