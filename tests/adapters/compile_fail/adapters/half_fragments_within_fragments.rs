//! No message in pieces is begun in the middle of another.
#![allow(unused, unused_must_use)]
use endwell::ws::{Close, CloseCode, MessageWriter, Kind, Outlet, ReceiveHalf, SendHalf, Socket};

fn main() {}

async fn f(mut half: SendHalf) {
    let mut pieces = half.send_pieces(Kind::Text);
    let others = half.send_pieces(Kind::Binary); //~ E0499
    //~ twin: let others = ();
    pieces.write("a piece").await;
    drop(others);
}
