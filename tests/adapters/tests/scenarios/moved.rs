//! Handlers that give the rights of an exchange to other tasks: they work there, and no wake-up is lost.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use endwell::http::{Framing, StatusCode};
use endwell::{Answered, Ended, Exchange, ServerConfig};
use tokio::sync::oneshot;

use crate::aborted::aborted;
use crate::support::{Client, Gate, Runtime, on_every_runtime, start, start_narrow, told};

on_every_runtime!(
    an_exchange_is_answered_elsewhere,
    a_body_is_read_and_written_elsewhere,
    dropped_elsewhere,
    both_directions_are_busy,
    an_old_body_reads_nothing_of_the_next_request,
    a_reader_reads_on_after_the_response_is_finished,
);

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// The handler returns at once, so the answer races the connection's task. Many times, since it is a race.
fn an_exchange_is_answered_elsewhere<R: Runtime>() {
    let server = start::<R, _, _>(async |exchange: Exchange| {
        R::spawn(async move {
            drop(exchange.respond(StatusCode::OK, "from elsewhere"));
        });
        aborted()
    });
    let address = server.address;
    let clients: Vec<_> = (0..2)
        .map(|_| {
            thread::spawn(move || {
                let mut client = Client::connect(address);
                for _ in 0..2000 {
                    client.send(GET);
                    assert_eq!(client.response().unwrap().body, b"from elsewhere");
                }
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    assert_eq!((server.counters.exchanges(), server.counters.unanswered()), (4000, 0));
}

/// The handler waits for the task that has its exchange.
fn a_body_is_read_and_written_elsewhere<R: Runtime>() {
    let server = start::<R, _, _>(async |mut exchange: Exchange| {
        let (tell, told) = oneshot::channel();
        R::spawn(async move {
            let body = exchange.read_all(1 << 20).await.unwrap();
            let (_, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
            response.write(body).await.unwrap();
            response.flush().await.unwrap();
            let _ = tell.send(response.finish());
        });
        told.await.unwrap_or(Err(aborted()))
    });
    let mut client = server.connect();
    for round in 0..200_usize {
        let body = vec![b'x'; round * 997 % 70_000];
        client.send(format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", body.len()));
        client.send(&body[..body.len() / 2]);
        client.send(&body[body.len() / 2..]);
        assert!(client.response().unwrap().body == body);
    }
}

/// What is dropped elsewhere is answered for all the same.
fn dropped_elsewhere<R: Runtime>() {
    let server = start::<R, _, _>(async |exchange: Exchange| {
        R::spawn(async move { drop(exchange) });
        aborted()
    });
    for _ in 0..200 {
        let mut client = server.connect();
        client.send(GET);
        let response = client.response().unwrap();
        assert_eq!(response.status, 500);
        if response.announces_close() {
            client.assert_closed();
        }
    }
    // Whichever was first: the drop, or the handler's end, which is then its error.
    assert_eq!(server.counters.unanswered() + server.counters.failed(), 200);
}

const BUSY: Duration = Duration::from_secs(2);

/// Two tasks, socket buffers as small as they get, for two seconds: each direction keeps going.
fn both_directions_are_busy<R: Runtime>() {
    let received = std::sync::Arc::new(AtomicU64::new(0));
    let counted = received.clone();
    let server = start_narrow::<R, _, _>(ServerConfig::default(), move |exchange: Exchange| {
        let counted = counted.clone();
        async move {
            let (mut request, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
            let (tell, end) = oneshot::channel();
            R::spawn(async move {
                while let Some(piece) = request.read().await.unwrap() {
                    counted.fetch_add(piece.len() as u64, Ordering::Relaxed);
                }
                let _ = tell.send(());
            });
            let (tell, written) = oneshot::channel();
            R::spawn(async move {
                let mut end = std::pin::pin!(end);
                let mut seed = 0_usize;
                loop {
                    seed += 1;
                    tokio::select! {
                        biased;
                        _ = &mut end => break,
                        room = response.ready() => room.unwrap(),
                    }
                    response.write(vec![b'y'; seed * 7919 % 5000]).await.unwrap();
                }
                let _ = tell.send(response.finish());
            });
            written.await.unwrap_or(Err(aborted()))
        }
    });
    let mut client = Client::connect_narrow(server.address);
    client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
    let mut sender = client.socket.try_clone().unwrap();
    let sending = thread::spawn(move || {
        let (begin, mut sent) = (Instant::now(), 0_usize);
        while begin.elapsed() < BUSY {
            let len = (sent * 31) % 3000 + 1;
            let chunk = [format!("{len:x}\r\n").as_bytes(), &vec![b'x'; len], b"\r\n"].concat();
            sender.write_all(&chunk).unwrap();
            sent += len;
        }
        sender.write_all(b"0\r\n\r\n").unwrap();
        sent
    });
    let response = client.response().unwrap();
    let sent = sending.join().unwrap();
    assert_eq!(received.load(Ordering::Relaxed), sent as u64);
    assert!(response.body.len() > 1 << 20, "{} bytes in {BUSY:?}", response.body.len());
    assert!(sent > 1 << 20, "{sent} bytes in {BUSY:?}");
}

/// A handler keeps the receiving side of a request that is over. The next request is not its business.
fn an_old_body_reads_nothing_of_the_next_request<R: Runtime>() {
    let gate = Gate::new();
    let (tell, arrived) = told();
    let waiting = gate.clone();
    let server = start::<R, _, _>(move |mut exchange: Exchange| {
        let (gate, tell) = (waiting.clone(), tell.clone());
        async move {
            if exchange.path() == "/keep" {
                let (request, response) = exchange.start(StatusCode::OK, Framing::Length(0));
                R::spawn(async move {
                    let mut request = request;
                    gate.pass().await;
                    tell.send(request.read().await.unwrap().is_some()).unwrap();
                    drop(request);
                });
                return response.finish();
            }
            tell.send(false).unwrap();
            let body = exchange.read_all(100).await?;
            Ok::<Answered, Ended>(exchange.respond(StatusCode::OK, body))
        }
    });
    let mut client = server.connect();
    client.send("GET /keep HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(client.response().unwrap().status, 200);
    client.send("POST /next HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n01234");
    assert!(!arrived.next());
    gate.open(1);
    assert!(!arrived.next(), "a part of the next body was read");
    client.send("56789");
    assert_eq!(client.response().unwrap().body, b"0123456789");
    let mut rest = [0];
    client.end_write();
    assert_eq!(client.socket.read(&mut rest).unwrap(), 0);
}

/// One task waits for the rest of a body, another finishes the response.
fn a_reader_reads_on_after_the_response_is_finished<R: Runtime>() {
    let gate = Gate::new();
    let (tell, heard) = told();
    let waiting = gate.clone();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let (gate, tell) = (waiting.clone(), tell.clone());
        async move {
            let (mut request, response) = exchange.start(StatusCode::OK, Framing::Length(0));
            R::spawn(async move {
                for _ in 0..3 {
                    tell.send(request.read().await.unwrap().is_some()).unwrap();
                }
            });
            gate.pass().await;
            response.finish()
        }
    });
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n01234");
    assert!(heard.next());
    gate.open(1);
    assert_eq!(client.response().unwrap().status, 200);
    client.send("56789");
    assert!(heard.next());
    assert!(!heard.next());
}
