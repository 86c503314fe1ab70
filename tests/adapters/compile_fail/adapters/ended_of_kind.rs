//! The kind of an end makes none.
#![allow(unused, unused_must_use)]
use std::sync::Arc;

use endwell::http::StatusCode;
use endwell::{Answered, Ended, Exchange, ServerConfig, serve, with_state};

fn main() {}

async fn handle(exchange: Exchange) -> Result<Answered, Ended> {
    Err(Ended(endwell::EndedKind::Shutdown)) //~ E0423
    //~ twin: Ok(exchange.respond(StatusCode::OK, ""))
}
