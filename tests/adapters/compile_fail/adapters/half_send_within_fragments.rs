//! No message of the half is sent in the middle of another.
#![allow(unused, unused_must_use)]
use endwell::ws::{Close, CloseCode, MessageWriter, Kind, Outlet, ReceiveHalf, SendHalf, Socket};

fn main() {}

async fn f(mut half: SendHalf) {
    let mut pieces = half.send_pieces(Kind::Text);
    half.send("in between").await; //~ E0499
    //~ twin:
    pieces.write("a piece").await;
}
