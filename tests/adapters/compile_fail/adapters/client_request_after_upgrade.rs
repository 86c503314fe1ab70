//! A request over a connection that may become a WebSocket.
#![allow(unused, unused_must_use)]
use endwell::client::{RequestWriter, Connection, NotUpgraded, ResponseReader, ResponseFuture, Switched, ContinueFuture};
use endwell::http::{Framing, Request};

fn main() {}

async fn f(connection: Connection, head: &Request) {
    let offer = connection.offer("a", "/").unwrap();
    let upgrade = connection.upgrade(offer);
    let response = connection.send(head, ""); //~ E0382
    //~ twin: drop(upgrade);
}
