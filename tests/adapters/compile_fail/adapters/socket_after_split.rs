//! A socket that was split is gone.
#![allow(unused, unused_must_use)]
use endwell::ws::{Close, CloseCode, MessageWriter, Kind, Outlet, ReceiveHalf, SendHalf, Socket};

fn main() {}

async fn f(mut socket: Socket) {
    let (send, recv) = socket.split();
    socket.send("more").await; //~ E0382
    //~ twin: drop((send, recv));
}
