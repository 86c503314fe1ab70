//! A message that is finished has no further pieces.
#![allow(unused, unused_must_use)]
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{Close, CloseCode, Kind};
use endwell::ws::Socket;
use endwell::{Answered, IntoAnswered, ServerConfig, Ended, Exchange, ResponseWriter, Upgraded, serve};

fn main() {}

async fn f(socket: &mut Socket) {
    let mut pieces = socket.send_pieces(Kind::Text);
    let sent = pieces.finish();
    pieces.write("late").await; //~ E0382
    //~ twin: drop(sent);
}
