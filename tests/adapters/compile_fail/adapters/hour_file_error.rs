//! Ended is about the connection: a file has an error of its own.
#![allow(unused, unused_must_use)]
use std::sync::Arc;

use endwell::http::StatusCode;
use endwell::{Answered, Ended, Exchange, ServerConfig, serve, with_state};

fn main() {}

async fn handle(exchange: Exchange) -> Result<Answered, Ended> {
    let page = std::fs::read("page.html")?; //~ E0277
    //~ twin: let page = std::fs::read("page.html").unwrap_or_default();
    Ok(exchange.respond(StatusCode::OK, page))
}
