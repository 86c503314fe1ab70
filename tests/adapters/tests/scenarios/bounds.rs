//! Bounds over all connections: how many, and what they hold together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use endwell::http::StatusCode;
use endwell::{Answered, Ended, Exchange, Limit, ServerConfig};

use crate::support::{Client, Runtime, on_every_runtime, start_with};

on_every_runtime!(
    a_full_server_waits_for_one_to_leave,
    an_overloaded_server_serves_again,
    a_body_that_is_announced_too_large_is_not_asked_for
);

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

async fn ok(exchange: Exchange) -> Answered {
    let len = exchange.fields().get_str("x-len").and_then(|len| len.parse().ok()).unwrap_or(0);
    exchange.respond(StatusCode::OK, vec![b'x'; len])
}

fn is_answered(client: &mut Client) -> bool {
    client.socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let answered = client.socket.peek(&mut [0]).is_ok_and(|len| len > 0);
    client.socket.set_read_timeout(Some(crate::support::LONG)).unwrap();
    answered
}

fn a_full_server_waits_for_one_to_leave<R: Runtime>() {
    let mut config = ServerConfig::default();
    config.connections = 3;
    let server = start_with::<R, _, _>(config, ok);
    let mut clients: Vec<_> = (0..3).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send(GET);
        client.response().unwrap();
    }
    for round in 0..3 {
        let mut next = server.connect();
        next.send(GET);
        assert!(!is_answered(&mut next), "one too many");
        assert_eq!(server.counters.accepted(), 3 + round);
        clients.remove(0);
        assert_eq!(next.response().unwrap().status, 200);
        clients.push(next);
    }
}

/// The length is asked first. One that is not announced must be read to be judged.
fn a_body_that_is_announced_too_large_is_not_asked_for<R: Runtime>() {
    let server = start_with::<R, _, _>(ServerConfig::default(), async |mut exchange: Exchange| {
        let body = exchange.read_all(10).await?;
        Ok::<Answered, Ended>(exchange.respond(StatusCode::OK, body))
    });
    for (length, statuses) in [
        ("content-length: 11", &[413][..]),
        ("content-length: 18446744073709551615", &[413]),
        ("content-length: 10", &[100, 200]),
        ("transfer-encoding: chunked", &[100, 413]),
    ] {
        let mut client = server.connect();
        client.send(format!("POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n{length}\r\n\r\n"));
        let mut seen = vec![client.response().unwrap().status];
        if seen == [100] {
            let body = if length.starts_with('t') { "b\r\n12345678901\r\n0\r\n\r\n" } else { "1234567890" };
            client.send(body);
            seen.push(client.response().unwrap().status);
        }
        assert_eq!(seen, statuses, "{length}");
    }
}

/// New requests are refused while too much is held that is being taken. Once it is taken, there is room again.
fn an_overloaded_server_serves_again<R: Runtime>() {
    let mut config = ServerConfig::default();
    config.held_bytes = 1 << 20;
    let reported = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&reported);
    let config = config.on_exchange(move |report| {
        let limit = report.cause().and_then(|cause| cause.exceeded()).map(|exceeded| exceeded.limit);
        if report.handler_end().is_none() {
            assert_eq!((report.status(), limit), (Some(503), Some(Limit::HeldBytes)));
            assert_eq!(report.request_line().to_string(), "GET / HTTP/1.1");
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let server = start_with::<R, _, _>(config, ok);
    let mut other = server.connect();
    other.send(GET);
    assert_eq!(other.response().unwrap().status, 200);
    let mut greedy = Client::connect_narrow(server.address);
    let len = 16 << 20;
    greedy.send(format!("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-len: {len}\r\n\r\n"));
    let counters = Arc::clone(&server.counters);
    let reading = thread::spawn(move || {
        let mut taken = 0;
        // Faster than it must be, and slow enough to be met.
        while counters.overloaded() == 0 && taken < len / 2 {
            taken += greedy.read_exactly(256 << 10).len();
            thread::sleep(Duration::from_millis(100));
        }
        taken + greedy.rest().len()
    });
    // A new request of another connection is told so, and that connection closes.
    let begin = std::time::Instant::now();
    while server.counters.overloaded() == 0 {
        assert!(begin.elapsed() < crate::support::LONG);
        other.send(GET);
        let response = other.response().unwrap();
        assert!(matches!(response.status, 200 | 503));
        thread::yield_now();
    }
    other.assert_closed();
    drop(other);
    server.next_end();
    assert!(reading.join().unwrap() > len);
    let mut next = server.connect();
    next.send(GET);
    assert_eq!(next.response().unwrap().status, 200);
    assert_eq!(server.counters.shed(), 0);
    assert_eq!(reported.load(Ordering::Relaxed), server.counters.overloaded());
}
