//! Writing a request after its end.
#![allow(unused, unused_must_use)]
use endwell::client::{RequestWriter, Connection, NotUpgraded, ResponseReader, ResponseFuture, Switched, ContinueFuture};
use endwell::http::{Framing, Request};

fn main() {}

async fn f(mut body: RequestWriter) {
    let finished = body.finish();
    body.write("more").await; //~ E0382
    //~ twin: drop(finished);
}
