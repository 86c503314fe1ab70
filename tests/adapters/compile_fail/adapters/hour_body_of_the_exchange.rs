//! What a body is made of is taken from the exchange before it is used up.
#![allow(unused, unused_must_use)]
use endwell::http::StatusCode;
use endwell::{Answered, Exchange};

fn main() {}

async fn handle(exchange: Exchange) -> Answered {
    exchange.respond(StatusCode::OK, format!("hello {}", exchange.peer_address())) //~ E0382
    //~ twin: let text = format!("hello {}", exchange.peer_address()); exchange.respond(StatusCode::OK, text)
    //~ says: value moved here
}
