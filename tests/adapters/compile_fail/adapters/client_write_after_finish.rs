//! Writing a request after its end.
#![allow(unused, unused_must_use)]
use endwell::client::{Body, Connection, NotUpgraded, Received, Response, Switched, Withheld};
use endwell::http::{Framing, Request};

fn main() {}

async fn f(mut body: Body) {
    let finished = body.finish();
    body.write("more").await; //~ E0382
    //~ twin: drop(finished);
}
