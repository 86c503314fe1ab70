//! Writing a body before the server has had its say.
#![allow(unused, unused_must_use)]
use endwell::client::{RequestWriter, Connection, NotUpgraded, ResponseReader, ResponseFuture, Switched, ContinueFuture};
use endwell::http::{Framing, Request};

fn main() {}

async fn f(mut body: ContinueFuture) {
    body.write("early").await; //~ E0599
    //~ twin: body.await.unwrap().write("asked for").await;
}
