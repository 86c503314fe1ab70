//! What a connection holds for TLS: when it waits, and when its peer takes nothing. Measured by an allocator that counts, so
//! this is a program of its own, and its measurements are made one after the other.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a test that cannot go on has failed"
)]

#[path = "http_client_net/dialling.rs"]
#[expect(dead_code, reason = "shared with the client's tests")]
mod dialling;
#[path = "scenarios/support/mod.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "shared with the scenarios")]
mod support;

#[path = "tls/authority.rs"]
#[expect(dead_code, reason = "shared with the tests of TLS")]
mod authority;
mod held_help;
#[path = "tls/peer.rs"]
#[expect(dead_code, reason = "shared with the tests of TLS")]
mod peer;
#[path = "tls/secure.rs"]
#[expect(dead_code, reason = "shared with the tests of TLS")]
mod secure;

use std::net::TcpStream;
use std::sync::atomic::Ordering;

use endwell::http::{Framing, StatusCode};
use endwell::{Answered, Ended, Exchange, ServerConfig};
use held_help::{HELD, PEAK, settle};
use peer::Peer;
use secure::Secure;
use support::{AsyncStd, Blocking, Client, CurrentThread, Runtime, Smol, Tokio, start_narrow};

const CONNECTIONS: usize = 64;

/// What TLS adds to a connection that waits: rustls' state and keys, and 4 KiB to read the next record into.
const WAITING: usize = 12 << 10;

/// And to one whose peer takes nothing: a record that is encrypted and not out, and the next one.
const STALLED: usize = WAITING + 2 * (17 << 10);

fn config() -> ServerConfig {
    let mut config = ServerConfig::default();
    // A peer that takes nothing is there until the measurement is over.
    config.shutdown_time = std::time::Duration::from_millis(100);
    config
}

async fn handle(exchange: Exchange) -> Result<Answered, Ended> {
    if exchange.path() == "/" {
        return Ok(exchange.respond(StatusCode::OK, "ok"));
    }
    let (_, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
    while response.write(vec![b'x'; 10_000]).await.is_ok() {}
    response.finish()
}

fn request(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nhost: a\r\n\r\n")
}

/// Bytes that `server` holds for each of many connections that `connect` makes.
fn held(connect: impl Fn() -> TcpStream) -> usize {
    // What a thread needs once is not a connection's.
    let mut sockets = vec![connect()];
    settle();
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    sockets.extend((0..CONNECTIONS).map(|_| connect()));
    settle();
    let held = HELD.load(Ordering::Relaxed).saturating_sub(before) / CONNECTIONS;
    drop(sockets);
    held
}

fn all<R: Runtime>() {
    for (target, bound) in [("/", WAITING), ("/stream", STALLED)] {
        let plain = {
            let server = start_narrow::<R, _, _>(config(), handle);
            held(|| {
                let mut client = Client::connect_narrow(server.address);
                client.send(request(target));
                client.read_exactly(17);
                client.socket
            })
        };
        let tls = {
            let server = start_narrow::<Secure<R>, _, _>(config(), handle);
            held(|| {
                let mut client = Peer::client(server.address);
                client.shake_hands().unwrap();
                client.send(request(target));
                client.read().unwrap();
                // The client's part of TLS is gone, and its socket stays.
                client.socket
            })
        };
        println!("{target}: {plain} bytes held for each connection, {tls} with TLS");
        assert!(tls < plain + bound, "{target}: {tls} bytes with TLS, {plain} without");
    }
}

#[test]
fn tls_holds_little() {
    held_help::on_each_runtime(
        "tls_holds_little",
        [
            (Tokio::NAME, all::<Tokio>),
            (CurrentThread::NAME, all::<CurrentThread>),
            (AsyncStd::NAME, all::<AsyncStd>),
            (Smol::NAME, all::<Smol>),
            (Blocking::NAME, all::<Blocking>),
        ],
    );
}
