//! A second request while the first one is open.
#![allow(unused, unused_must_use)]
use endwell::client::{RequestWriter, Connection, NotUpgraded, ResponseReader, ResponseFuture, Switched, ContinueFuture};
use endwell::http::{Framing, Request};

fn main() {}

fn f(connection: Connection, head: &Request) {
    let first = connection.send(head, "one");
    let second = connection.send(head, "two"); //~ E0382
    //~ twin: drop(first);
}
