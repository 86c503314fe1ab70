//! Who closes in the middle of a message gives the message up first.
#![allow(unused, unused_must_use)]
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{Close, CloseCode, Kind};
use endwell::ws::Socket;
use endwell::{Answered, IntoAnswered, ServerConfig, Ended, Exchange, ResponseWriter, Upgraded, serve};

fn main() {}

async fn f(socket: Socket) {
    let mut socket = socket;
    let mut pieces = socket.send_pieces(Kind::Text);
    let ended = socket.close(CloseCode::NORMAL); //~ E0505
    //~ twin:
    pieces.write("a piece").await;
}
