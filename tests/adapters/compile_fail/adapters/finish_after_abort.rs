//! A body that is cut off is not finished.
#![allow(unused, unused_must_use)]
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{Close, CloseCode, Kind};
use endwell::ws::Socket;
use endwell::{Answered, IntoAnswered, ServerConfig, Ended, Exchange, ResponseWriter, Upgraded, serve};

fn main() {}

fn f(body: ResponseWriter) {
    let ended = body.abort();
    let answered = body.finish(); //~ E0382
    //~ twin: drop(ended);
}
