//! S27: clients that are slow on purpose meet a limit, which grows with what they send or take; others do not notice.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use endwell::core::{Limit, Pace};
use endwell::http::{Framing, StatusCode};
use endwell::{Answered, Ended, EndedKind, Exchange, ServerConfig};

use crate::support::{Client, Running, Runtime, on_every_runtime, start_with};

on_every_runtime!(
    says_nothing,
    stays_idle,
    sends_its_head_slowly,
    sends_its_body_slowly,
    reads_slowly,
    one_honest_among_many_slow,
);

/// Times so short that a test can wait for them, each another, so that none is taken for another.
fn short() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.http.first_byte_time = Duration::from_millis(300);
    config.http.head_time = Duration::from_millis(400);
    config.http.idle_time = Duration::from_millis(500);
    config.http.request_pace =
        Pace::silence(Duration::from_millis(350)).total(Duration::from_millis(350), 1000);
    config.output.pace = Pace::silence(Duration::from_millis(250)).total(Duration::from_millis(250), 1 << 20);
    config
}

async fn handle(mut exchange: Exchange) -> Result<Answered, Ended> {
    if exchange.path() == "/large" {
        let (_, mut response) = exchange.start(StatusCode::OK, Framing::Length(64 << 20));
        while response.write(vec![b'x'; 1 << 16]).await.is_ok() {}
        return response.finish();
    }
    let body = exchange.read_all(1 << 20).await?;
    Ok(exchange.respond(StatusCode::OK, body))
}

fn start<R: Runtime>() -> Running {
    start_with::<R, _, _>(short(), handle)
}

fn assert_limit(server: &Running, limit: Limit) {
    match server.next_end().kind() {
        EndedKind::Limit(exceeded) => assert_eq!(exceeded.limit, limit),
        other => panic!("expected {limit}, got {other}"),
    }
}

fn says_nothing<R: Runtime>() {
    let server = start::<R>();
    let mut client = server.connect();
    client.assert_closed();
    assert_limit(&server, Limit::FirstByteTime);
}

fn stays_idle<R: Runtime>() {
    let server = start::<R>();
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    client.response().unwrap();
    let begin = Instant::now();
    client.assert_closed();
    assert!(begin.elapsed() >= Duration::from_millis(400), "{:?}", begin.elapsed());
    assert_limit(&server, Limit::IdleTime);
}

/// What a trickle takes, if nothing ends it, and some.
const TRICKLE: Duration = Duration::from_secs(4);

/// Sends a byte every 20 ms until it fails or `bytes` are gone.
fn trickle(client: &Client, bytes: &'static [u8]) -> thread::JoinHandle<()> {
    let mut socket = client.socket.try_clone().unwrap();
    thread::spawn(move || {
        for byte in bytes {
            if socket.write_all(&[*byte]).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
    })
}

fn sends_its_head_slowly<R: Runtime>() {
    let server = start::<R>();
    let mut client = server.connect();
    let begin = Instant::now();
    let sending = trickle(&client, &[b'G'; 200]);
    let response = client.response().unwrap();
    assert!((408, true) == (response.status, response.announces_close()), "{response:?}");
    assert!(begin.elapsed() >= Duration::from_millis(400) && begin.elapsed() < TRICKLE);
    client.shut_down();
    sending.join().unwrap();
    assert_limit(&server, Limit::HeadTime);
}

fn sends_its_body_slowly<R: Runtime>() {
    let server = start::<R>();
    for framing in ["content-length: 1000", "transfer-encoding: chunked"] {
        let mut client = server.connect();
        client.send(format!("POST / HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n400\r\n"));
        let begin = Instant::now();
        let sending = trickle(&client, &[b'x'; 200]);
        let response = client.response().unwrap();
        assert!((408, true) == (response.status, response.announces_close()), "{response:?}");
        assert!(begin.elapsed() >= Duration::from_millis(300) && begin.elapsed() < TRICKLE);
        client.shut_down();
        sending.join().unwrap();
        server.next_end();
    }
}

/// Takes a little every 50 ms, and not enough.
fn reads_slowly<R: Runtime>() {
    let server = start::<R>();
    let mut client = Client::connect_narrow(server.address);
    client.send("GET /large HTTP/1.1\r\nhost: a\r\n\r\n");
    let mut reader = client.socket.try_clone().unwrap();
    let reading = thread::spawn(move || {
        while std::io::Read::read(&mut reader, &mut [0; 200]).is_ok_and(|len| len > 0) {
            thread::sleep(Duration::from_millis(50));
        }
    });
    assert_limit(&server, Limit::WriteProgress);
    client.shut_down();
    reading.join().unwrap();
}

/// Slow heads, slow bodies, stalled readers: an honest client beside them is served as fast as ever.
fn one_honest_among_many_slow<R: Runtime>() {
    let server = start_with::<R, _, _>(ServerConfig::default(), handle);
    let mut slow: Vec<_> = (0..300)
        .map(|index| {
            let mut client = server.connect();
            client.send(match index % 3 {
                0 => "GET / HT",
                1 => "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nx",
                _ => "GET /large HTTP/1.1\r\nhost: a\r\n\r\n",
            });
            client
        })
        .collect();
    let mut honest = server.connect();
    let mut times = Vec::new();
    for client in &mut slow {
        client.socket.write_all(b"x").unwrap();
        let begin = Instant::now();
        honest.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello");
        assert_eq!(honest.response().unwrap().body, b"hello");
        times.push(begin.elapsed());
    }
    times.sort();
    assert!(times[150] < Duration::from_millis(20), "median {:?}, longest {:?}", times[150], times[299]);
    slow.clear();
}

/// A handler that uses up its task's turn while it waits for a body: the deadline is set all the same.
#[test]
fn a_turn_that_is_used_up_loses_no_deadline() {
    let server = start_with::<crate::support::Tokio, _, _>(short(), async |mut exchange: Exchange| {
        let mut turn_is_over = false;
        let mut read = Box::pin(exchange.read_all(1 << 20));
        let body = std::future::poll_fn(|cx| {
            let body = read.as_mut().poll(cx);
            if body.is_pending() && !turn_is_over {
                turn_is_over = true;
                while std::pin::pin!(tokio::task::consume_budget()).poll(cx).is_ready() {}
            }
            body
        });
        let body = body.await;
        drop(read);
        let body = body?;
        Ok::<_, Ended>(exchange.respond(StatusCode::OK, body))
    });
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nab");
    assert_eq!(client.response().unwrap().status, 408);
}
