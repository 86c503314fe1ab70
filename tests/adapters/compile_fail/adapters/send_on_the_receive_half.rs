//! The receive half has no right to write.
#![allow(unused, unused_must_use)]
use endwell::ws::{Close, CloseCode, MessageWriter, Kind, Outlet, ReceiveHalf, SendHalf, Socket};

fn main() {}

async fn f(mut half: ReceiveHalf) {
    half.send("hello").await; //~ E0599
    //~ twin: half.receive().await;
}
