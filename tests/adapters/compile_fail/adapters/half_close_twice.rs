//! A half closes once.
#![allow(unused, unused_must_use)]
use endwell::ws::{Close, CloseCode, MessageWriter, Kind, Outlet, ReceiveHalf, SendHalf, Socket};

fn main() {}

fn f(half: SendHalf) {
    let ended = half.close(CloseCode::NORMAL);
    let again = half.close(CloseCode::NORMAL); //~ E0382
    //~ twin: drop(ended);
}
