//! Only the one task of a connection asks for its next request, and that one waits for the answer.
#![allow(unused, unused_must_use)]
use endwell::http::StatusCode;
use endwell::{Exchange, Server};

fn main() {}

async fn f(server: Server) {
    let serving = server.run(async |exchange: Exchange| exchange.respond(StatusCode::OK, "first"));
    let next = server.run(async |exchange: Exchange| exchange.respond(StatusCode::OK, "next")); //~ E0382
    //~ twin: let next = ();
    serving.await;
}
