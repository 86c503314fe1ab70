//! S33: what connections hold is bounded, whatever their peers send or leave unread. Measured by an allocator that
//! counts, so this is a program of its own, and its measurements are made one after the other.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a test that cannot go on has failed"
)]

#[path = "help/aborted.rs"]
mod aborted;
#[path = "scenarios/support/mod.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "shared with the scenarios")]
mod support;

mod held_help;

use aborted::aborted;
use std::io::Write;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use endwell::http::{Framing, StatusCode};
use endwell::ws::Close;
use endwell::{Answered, Ended, Exchange, ServerConfig};
use held_help::{HELD, PEAK, settle};
use support::{AsyncStd, Blocking, Client, CurrentThread, Runtime, Smol, Tokio, start_narrow, start_with};

const CONNECTIONS: usize = 16;

/// What a connection may hold: its output, what it received (twice: a part of it is on its way through the handler),
/// the piece that the handler is writing, and its own states and tables.
const BOUND: usize = OUTPUT + 2 * RECEIVED + PIECE + (16 << 10);
const OUTPUT: usize = 128 << 10;
const RECEIVED: usize = 64 << 10;
const PIECE: usize = 64 << 10;
/// The largest message. While one is gathered its memory may grow to twice that.
const MESSAGE: u64 = 32 << 10;

/// Above the connections: what each thread lends, and the runtime's own.
const THREADS: usize = 1 << 20;

fn config() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.output.bytes = OUTPUT;
    config.output.high_water = 32 << 10;
    config.http.received_bytes = RECEIVED;
    config.ws.received_bytes = RECEIVED;
    config.ws.message_bytes = MESSAGE;
    config.ws.fragments = usize::MAX;
    // A handler that waits for its peer to be gone does not see that behind a body that it does not read.
    config.shutdown_time = Duration::from_millis(100);
    config
}

async fn handle(exchange: Exchange) -> Result<Answered, Ended> {
    match exchange.path() {
        "/stream" => {
            let (_, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
            while response.write(vec![b'x'; PIECE]).await.is_ok() {}
            response.finish()
        }
        "/echo" => {
            let (mut request, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
            while let Some(piece) = request.read().await? {
                response.write(piece).await?;
            }
            response.finish()
        }
        "/ignore" => Err(exchange.gone().await),
        "/ws" => {
            let acceptance = exchange.acceptance();
            let Ok(mut socket) = exchange.accept(acceptance) else { return Err(aborted()) };
            while let Some(message) = socket.receive().await {
                if message.is_data() {
                    socket.send(message).await?;
                }
            }
            Err(socket.close(Close::EMPTY).await)
        }
        _ => Ok(exchange.respond(StatusCode::OK, vec![b'x'; 1000])),
    }
}

/// Sends `first`, then `again` for as long as anything is taken. Takes nothing itself.
fn push(client: &mut Client, first: &str, again: &[u8]) {
    let sent = push_up_to(64 << 20, client, first, again);
    assert!(sent < 64 << 20, "a peer that reads nothing was read from for ever");
}

/// Sends `first`, then `again` for as long as anything is taken, or `most` bytes. How many it sent.
fn push_up_to(most: usize, client: &mut Client, first: &str, again: &[u8]) -> usize {
    client.send(first);
    client.socket.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let (mut sent, mut at) = (0, 0);
    while sent < most {
        match client.socket.write(&again[at..]) {
            Ok(len) => (sent, at) = (sent + len, (at + len) % again.len()),
            Err(_) => break,
        }
    }
    sent
}

/// The most that `CONNECTIONS` clients make the server hold.
fn most<R: Runtime>(name: &str, act: impl Fn(&mut Client) + Sync) {
    // What the system takes for a peer that reads nothing would hide what the server holds.
    let server = start_narrow::<R, _, _>(config(), handle);
    let address = server.address;
    // What a thread needs once is not a connection's.
    let mut first = Client::connect_narrow(address);
    act(&mut first);
    first.reset();
    let mut clients: Vec<_> = (0..CONNECTIONS).map(|_| Client::connect_narrow(address)).collect();
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    thread::scope(|scope| {
        for client in &mut clients {
            scope.spawn(|| act(client));
        }
    });
    settle();
    let held = PEAK.load(Ordering::Relaxed) - before;
    println!("{name}: at most {} bytes held for each of {CONNECTIONS}", held / CONNECTIONS);
    // A handler that waits for its peer to be gone is not moved by a plain close.
    clients.into_iter().for_each(Client::reset);
    assert!(held < CONNECTIONS * BOUND + THREADS, "{name}: {held} bytes held");
}

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// 64 MiB go through, and hardly anything stays.
fn echo<R: Runtime>() {
    const SIZE: usize = 64 << 20;
    let server = start_with::<R, _, _>(config(), handle);
    let client = Client::connect(server.address);
    let mut sender = client.socket.try_clone().unwrap();
    let mut reader = client.socket.try_clone().unwrap();
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let sending = thread::spawn(move || {
        write!(
            sender,
            "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: {SIZE}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let piece = [b'x'; 16 << 10];
        (0..SIZE / piece.len()).for_each(|_| sender.write_all(&piece).unwrap());
    });
    let (mut buffer, mut seen) = ([0; 16 << 10], 0);
    loop {
        match std::io::Read::read(&mut reader, &mut buffer).unwrap() {
            0 => break,
            len => seen += buffer[..len].iter().map(|byte| usize::from(*byte == b'x')).sum::<usize>(),
        }
    }
    sending.join().unwrap();
    let held = PEAK.load(Ordering::Relaxed) - before;
    println!("echo of 64 MiB: at most {held} bytes held");
    assert_eq!(seen, SIZE);
    assert!(held < BOUND + THREADS, "{held} bytes held");
}

fn all<R: Runtime>() {
    most::<R>("a reader that takes nothing", |client| client.send("GET /stream HTTP/1.1\r\nhost: a\r\n\r\n"));
    most::<R>("requests without an end", |client| push(client, "", GET.repeat(100).as_bytes()));
    most::<R>("a body that nobody reads", |client| {
        push(
            client,
            "POST /ignore HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000000\r\n\r\n",
            &[b'x'; 10_000],
        );
    });
    most::<R>("an echo that nobody takes", |client| {
        push(client, "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000000\r\n\r\n", &[b'x'; 10_000]);
    });
    // Made here, since what the clients allocate counts too.
    let (messages, pings) = (frame(0x82, &[7; 8000]).repeat(50), frame(0x89, &[7; 125]).repeat(50));
    most::<R>("messages whose echo nobody takes", |client| push(client, HANDSHAKE, &messages));
    // They are read on, since of their pongs one is kept.
    most::<R>("pings whose pongs nobody takes", |client| {
        push_up_to(4 << 20, client, HANDSHAKE, &pings);
    });
    let (begun, piece) = (frame(0x02, &vec![7; 30_000]), frame(0x00, b"").repeat(100));
    most::<R>("a message that never ends", |client| {
        client.send(HANDSHAKE);
        client.send(&begun);
        (0..20_000).step_by(100).for_each(|_| client.send(&piece));
    });
    echo::<R>();
}

const HANDSHAKE: &str = "GET /ws HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
     sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";

/// A frame with a mask of zeros, of less than 64 KiB.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = match payload.len() {
        len @ 0..126 => vec![0x80 + len as u8],
        len => [&[0x80 + 126], &(len as u16).to_be_bytes()[..]].concat(),
    };
    [&[first], &length[..], &[0; 4], payload].concat()
}

#[test]
fn bytes_held_are_bounded() {
    held_help::on_each_runtime(
        "bytes_held_are_bounded",
        [
            (Tokio::NAME, all::<Tokio>),
            (CurrentThread::NAME, all::<CurrentThread>),
            (AsyncStd::NAME, all::<AsyncStd>),
            (Smol::NAME, all::<Smol>),
            (Blocking::NAME, all::<Blocking>),
        ],
    );
}
