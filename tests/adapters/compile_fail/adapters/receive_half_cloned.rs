//! There is one receiver.
#![allow(unused, unused_must_use)]
use endwell::ws::{Close, CloseCode, MessageWriter, Kind, Outlet, ReceiveHalf, SendHalf, Socket};

fn main() {}

fn f(half: ReceiveHalf) {
    let other = half.clone(); //~ E0599
    //~ twin: let other = ();
    drop(half);
}
