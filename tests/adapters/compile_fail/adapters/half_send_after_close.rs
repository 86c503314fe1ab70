//! Nothing is sent behind our Close, by a half either.
#![allow(unused, unused_must_use)]
use endwell::ws::{Close, CloseCode, MessageWriter, Kind, Outlet, ReceiveHalf, SendHalf, Socket};

fn main() {}

async fn f(mut half: SendHalf) {
    let ended = half.close(CloseCode::NORMAL);
    half.send("more").await; //~ E0382
    //~ twin: ended.await;
}
