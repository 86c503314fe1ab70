//! Only the library makes the end of a connection.
#![allow(unused, unused_must_use)]
use std::sync::Arc;

use endwell::http::StatusCode;
use endwell::{Answered, Ended, Exchange, ServerConfig, serve, with_state};

fn main() {}

async fn handle(exchange: Exchange) -> Result<Answered, Ended> {
    Err(Ended::Shutdown) //~ E0599
    //~ twin: Ok(exchange.respond(StatusCode::OK, ""))
}
