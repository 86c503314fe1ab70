//! No message is sent in the middle of another.
#![allow(unused, unused_must_use)]
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{Close, CloseCode, Kind};
use endwell::ws::Socket;
use endwell::{Answered, IntoAnswered, ServerConfig, Ended, Exchange, ResponseWriter, Upgraded, serve};

fn main() {}

async fn f(socket: &mut Socket) {
    let mut pieces = socket.send_pieces(Kind::Text);
    socket.send("in between").await; //~ E0499
    //~ twin:
    pieces.write("a piece").await;
}
