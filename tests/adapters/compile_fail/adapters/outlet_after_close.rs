//! An outlet that has closed the connection sends nothing.
#![allow(unused, unused_must_use)]
use endwell::ws::{Close, CloseCode, MessageWriter, Kind, Outlet, ReceiveHalf, SendHalf, Socket};

fn main() {}

async fn f(outlet: Outlet) {
    outlet.close(CloseCode::NORMAL);
    outlet.send("more").await; //~ E0382
    //~ twin:
}
