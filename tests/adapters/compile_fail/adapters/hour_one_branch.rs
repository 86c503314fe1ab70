//! Every branch responds.
#![allow(unused, unused_must_use)]
use std::sync::Arc;

use endwell::http::StatusCode;
use endwell::{Answered, Ended, Exchange, ServerConfig, serve, with_state};

fn main() {}

async fn handle(exchange: Exchange) -> Answered {
    if exchange.path() == "/" { exchange.respond(StatusCode::OK, "") } //~ E0317
    //~ twin: exchange.respond(StatusCode::OK, "")
}
