//! What connections take from each other: memory, and places. None locks the others out.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a test that cannot go on has failed"
)]

#[path = "../help/aborted.rs"]
mod aborted;
#[path = "../scenarios/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "shared with the scenarios")]
mod support;

#[path = "../web_socket/peer.rs"]
#[expect(dead_code, reason = "shared with the scenarios")]
mod peer;

#[path = "../held_help/mod.rs"]
#[expect(dead_code, reason = "shared with the tests of memory")]
mod held_help;

mod flood;
mod held;
mod places;

use crate::aborted::aborted;
use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use endwell::http::StatusCode;
use endwell::ws::{Close, Message};
use endwell::{Answered, Ended, Exchange};
use support::Client;

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// A newcomer is served within this time.
const SOON: Duration = Duration::from_secs(1);

/// Takes WebSockets and bodies, and sends as much as is asked for.
async fn handle(mut exchange: Exchange) -> Result<Answered, Ended> {
    if exchange.path() == "/chat" {
        let acceptance = exchange.acceptance();
        let Ok(mut socket) = exchange.accept(acceptance) else { return Err(aborted()) };
        while socket.receive().await.as_ref().is_some_and(Message::is_data) {}
        return Err(socket.close(Close::EMPTY).await);
    }
    let len = exchange.fields().get_str("x-len").and_then(|len| len.parse().ok()).unwrap_or(2);
    let announced = exchange.fields().get_str("content-length").and_then(|len| len.parse().ok()).unwrap_or(0);
    let body = exchange.read_all(16 << 20).await?;
    assert_eq!(body.len(), announced, "a body that was cut off is no whole one");
    Ok(exchange.respond(StatusCode::OK, vec![b'x'; len]))
}

/// Connects, asks and is answered. The time that this took.
fn newcomer(address: SocketAddr) -> Duration {
    let began = Instant::now();
    let mut client = Client::connect(address);
    client.send(GET);
    assert_eq!(client.response().unwrap().status, 200);
    began.elapsed()
}

/// Whatever is there is read, and then the connection is reset.
fn assert_reset(mut client: Client) {
    let mut buffer = [0; 4096];
    let ended =
        std::iter::repeat_with(|| client.socket.read(&mut buffer)).find(|read| !matches!(read, Ok(1..)));
    assert_eq!(ended.unwrap().unwrap_err().kind(), ErrorKind::ConnectionReset);
}
