//! S23, S24, S26: connections that are used again and again.

use std::thread;
use std::time::{Duration, Instant};

use endwell::http::{Framing, StatusCode};
use endwell::{Answered, Ended, EndedKind, Exchange};

use crate::support::{Client, Runtime, on_every_runtime, pattern, start};

on_every_runtime!(many_requests_over_three_connections, fin_after_the_response, pipelined, three_writes,);

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// Three connections at a time, each used for a number of requests; the client's FIN comes 0, 1, 5 or 20 ms after
/// the last response, or in the same segment as the last request.
fn many_requests<R: Runtime>(connections: usize, each: usize) {
    let server = start::<R, _, _>(async |mut exchange: Exchange| {
        let body = exchange.read_all(1000).await?;
        Ok::<Answered, Ended>(exchange.respond(StatusCode::OK, body))
    });
    let address = server.address;
    let clients: Vec<_> = (0..3)
        .map(|lane| {
            thread::spawn(move || {
                for round in 0..connections {
                    let mut client = Client::connect(address);
                    for request in 0..each {
                        let body = format!("{lane}-{round}-{request}");
                        client.send(format!(
                            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}",
                            body.len()
                        ));
                        if request + 1 == each && round % 5 == 4 {
                            client.end_write();
                        }
                        let response = client.response().unwrap();
                        assert_eq!((response.status, response.announces_close()), (200, false));
                        assert_eq!(response.body, body.as_bytes());
                    }
                    if let Some(delay) = [0, 1, 5, 20].get(round % 5) {
                        thread::sleep(Duration::from_millis(*delay));
                        client.end_write();
                    }
                    client.assert_closed();
                }
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    let opened = 3 * connections as u64;
    assert_eq!((server.counters.accepted(), server.counters.exchanges()), (opened, opened * each as u64));
    for _ in 0..opened {
        assert!(matches!(server.next_end().kind(), EndedKind::ByPeer));
    }
}

fn many_requests_over_three_connections<R: Runtime>() {
    many_requests::<R>(1, 6667);
}

fn fin_after_the_response<R: Runtime>() {
    many_requests::<R>(100, 20);
}

/// As many responses as requests, in order, however they are cut; without bodies where there are none.
fn pipelined<R: Runtime>() {
    let server = start::<R, _, _>(async |mut exchange: Exchange| {
        let mut answer = exchange.path().as_bytes().to_vec();
        answer.extend_from_slice(&exchange.read_all(1000).await?);
        Ok::<Answered, Ended>(exchange.respond(StatusCode::OK, answer))
    });
    for count in [2, 10, 100] {
        for bytewise in [false, true] {
            let mut client = server.connect();
            let all: Vec<_> = (0..count).map(|at| format!("GET /{at} HTTP/1.1\r\nhost: a\r\n\r\n")).collect();
            let all = all.concat();
            client.send_as(bytewise, &all);
            client.end_write();
            for at in 0..count {
                assert_eq!(client.response().unwrap().body, format!("/{at}").as_bytes());
            }
            client.assert_closed();
        }
    }
}

/// A delayed acknowledgement takes 40 ms, and Nagle's algorithm would wait for it.
fn three_writes<R: Runtime>() {
    let server = start::<R, _, _>(async |exchange: Exchange| {
        let (_, mut response) = exchange.start(StatusCode::OK, Framing::Length(65_536));
        for piece in pattern(65_536).chunks(21_846) {
            response.write(piece.to_vec()).await?;
            response.flush().await?;
        }
        response.finish()
    });
    let mut client = server.connect();
    let mut times: Vec<_> = (0..100)
        .map(|_| {
            let begin = Instant::now();
            client.send(GET);
            assert_eq!(client.response().unwrap().body.len(), 65_536);
            begin.elapsed()
        })
        .collect();
    times.sort();
    println!("{}: 64 KiB in three writes: median {:?}, longest {:?}", R::NAME, times[50], times[99]);
    assert!(times[50] < Duration::from_millis(20), "median {:?}", times[50]);
    assert_eq!(server.counters.accepted(), 1);
}
