//! Nothing is sent behind our Close.
#![allow(unused, unused_must_use)]
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{Close, CloseCode, Kind};
use endwell::ws::Socket;
use endwell::{Answered, IntoAnswered, ServerConfig, Ended, Exchange, ResponseWriter, Upgraded, serve};

fn main() {}

async fn f(mut socket: Socket) {
    let ended = socket.close(CloseCode::NORMAL);
    socket.send("more").await; //~ E0382
    //~ twin: ended.await;
}
