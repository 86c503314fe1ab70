//! Writing a body before the server has had its say.
#![allow(unused, unused_must_use)]
use endwell::client::{Body, Connection, NotUpgraded, Received, Response, Switched, Withheld};
use endwell::http::{Framing, Request};

fn main() {}

async fn f(mut body: Withheld) {
    body.write("early").await; //~ E0599
    //~ twin: body.await.unwrap().write("asked for").await;
}
