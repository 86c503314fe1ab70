//! A connection for two.
#![allow(unused, unused_must_use)]
use endwell::client::{RequestWriter, Connection, NotUpgraded, ResponseReader, ResponseFuture, Switched, ContinueFuture};
use endwell::http::{Framing, Request};

fn main() {}

fn f(connection: Connection) {
    let other = connection.clone(); //~ E0599
    //~ twin: let other = connection;
}
