//! Who waits for the end receives nothing more.
#![allow(unused, unused_must_use)]
use endwell::ws::{Close, CloseCode, MessageWriter, Kind, Outlet, ReceiveHalf, SendHalf, Socket};

fn main() {}

async fn f(mut half: ReceiveHalf) {
    let ended = half.closed();
    half.receive().await; //~ E0382
    //~ twin: ended.await;
}
