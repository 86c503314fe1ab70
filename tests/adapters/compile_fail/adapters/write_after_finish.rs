//! A body that is finished has no further content.
#![allow(unused, unused_must_use)]
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{Close, CloseCode, Kind};
use endwell::ws::Socket;
use endwell::{Answered, IntoAnswered, ServerConfig, Ended, Exchange, ResponseWriter, Upgraded, serve};

fn main() {}

async fn f(mut body: ResponseWriter) {
    let answered = body.finish();
    body.write("late").await; //~ E0382
    //~ twin: drop(answered);
}
