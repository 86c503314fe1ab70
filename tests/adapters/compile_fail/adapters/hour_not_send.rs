//! A handler may move between threads.
#![allow(unused, unused_must_use)]
use std::sync::Arc;

use endwell::http::StatusCode;
use endwell::{Answered, Ended, Exchange, ServerConfig, serve, with_state};

fn main() {}

async fn f(listener: tokio::net::TcpListener) {
    let handler = async |mut exchange: Exchange| {
        let count = std::rc::Rc::new(1);
        exchange.read_all(1000).await?;
        Ok::<_, Ended>(exchange.respond(StatusCode::OK, count.to_string()))
    };
    serve(listener, ServerConfig::default(), handler).await; //~ "future cannot be sent between threads safely"
    //~ twin:
}
