//! A handler that does not answer is no handler.
#![allow(unused, unused_must_use)]
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{Close, CloseCode, Kind};
use endwell::ws::Socket;
use endwell::{Answered, Conclusion, Config, Ended, Exchange, ResponseBody, Upgraded, serve};

fn main() {}

async fn f(listener: tokio::net::TcpListener) {
    serve(listener, Config::default(), async |exchange: Exchange| {}); //~ E0277
    //~ twin: serve(listener, Config::default(), async |exchange: Exchange| exchange.respond(StatusCode::OK, ""));
}
