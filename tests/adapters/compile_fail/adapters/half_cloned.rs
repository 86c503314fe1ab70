//! There is one right to write. Outlets are for many.
#![allow(unused, unused_must_use)]
use endwell::ws::{Close, CloseCode, MessageWriter, Kind, Outlet, ReceiveHalf, SendHalf, Socket};

fn main() {}

fn f(half: SendHalf) {
    let other = half.clone(); //~ E0599
    //~ twin: let other = half.outlet().clone();
    drop(half);
}
