//! Handlers that are plain code, each on a thread of its own.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use endwell::blocking::{Stream, Threads, block_on, handler};
use endwell::core::Pace;
use endwell::http::{Framing, StatusCode};
use endwell::{Answered, Ended, EndedKind, Exchange, Info, Server, ServerConfig};

use crate::support::{LONG, Runtime, on_every_runtime, pattern, start, start_with, told};

on_every_runtime!(
    echoes,
    leaves_before_the_work_is_done,
    ends_with_its_connection,
    ends_with_its_server,
    a_read_that_was_given_up_is_no_waiting,
);

const POST: &str = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n";

/// A body of any size goes through, over a connection that is kept.
fn echoes<R: Runtime>() {
    let server = start::<R, _, _>(handler(|exchange| {
        let (mut request, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
        while let Some(piece) = block_on(request.read())? {
            block_on(response.write(piece))?;
        }
        response.finish()
    }));
    let mut client = server.connect();
    for len in [0, 1, 100_000, 1 << 20] {
        let data = pattern(len);
        let mut sender = client.socket.try_clone().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                let head = format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {len}\r\n\r\n");
                std::io::Write::write_all(&mut sender, &[head.as_bytes(), &data].concat()).unwrap();
            });
            assert!(client.response().unwrap().body == data, "{len}");
        });
    }
    assert_eq!((server.counters.accepted(), server.counters.exchanges()), (1, 4));
}

/// The connection's thread writes while the closure works on.
fn leaves_before_the_work_is_done<R: Runtime>() {
    let (go_on, waits) = mpsc::sync_channel(0);
    let waits = std::sync::Mutex::new(waits);
    let server = start::<R, _, _>(handler(move |exchange| {
        let answered = exchange.respond(StatusCode::OK, "at once");
        waits.lock().unwrap().recv_timeout(LONG).unwrap();
        answered
    }));
    let mut client = server.connect();
    for _ in 0..3 {
        client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        assert_eq!(client.response().unwrap().body, b"at once");
        go_on.send(()).unwrap();
    }
}

/// Tells how what it waits for has ended.
fn waits_for_the_body(tell: mpsc::SyncSender<Ended>) -> impl Fn(Exchange) -> Result<Answered, Ended> {
    move |mut exchange| {
        let body = block_on(exchange.read_all(100));
        if let Err(ended) = &body {
            tell.send(ended.clone()).unwrap();
        }
        Ok(exchange.respond(StatusCode::OK, body?))
    }
}

fn ends_with_its_connection<R: Runtime>() {
    let (tell, heard) = told();
    let server = start::<R, _, _>(handler(waits_for_the_body(tell)));
    let mut client = server.connect();
    client.send(POST);
    while server.counters.exchanges() == 0 {
        thread::yield_now();
    }
    client.reset();
    assert!(matches!(heard.next().kind(), EndedKind::Transport(_)));
    assert!(matches!(server.next_end().kind(), EndedKind::Transport(_)));
}

fn ends_with_its_server<R: Runtime>() {
    let mut config = ServerConfig::default();
    config.shutdown_time = Duration::from_millis(50);
    let (tell, heard) = told();
    let mut server = start_with::<R, _, _>(config, handler(waits_for_the_body(tell)));
    let mut client = server.connect();
    client.send(POST);
    while server.counters.exchanges() == 0 {
        thread::yield_now();
    }
    server.stop();
    assert!(matches!(heard.next().kind(), EndedKind::Shutdown));
    server.wait();
}

/// A peer has time for as long as nobody waits for it, and the driver need not be told.
fn a_read_that_was_given_up_is_no_waiting<R: Runtime>() {
    let mut config = ServerConfig::default();
    config.http.request_pace = Pace::silence(Duration::from_millis(500));
    let (tell, heard) = told();
    let server = start_with::<R, _, _>(
        config,
        handler(move |mut exchange: Exchange| {
            let early = block_on(async {
                let mut read = std::pin::pin!(exchange.read());
                tokio::select! {
                    biased;
                    early = &mut read => Some(early),
                    // Until the driver has seen that somebody reads.
                    _ = smol::Timer::after(Duration::from_millis(50)) => None,
                }
            });
            assert!(early.is_none(), "{early:?}");
            thread::sleep(Duration::from_millis(600));
            tell.send(()).unwrap();
            let body = block_on(exchange.read_all(100))?;
            Ok::<_, Ended>(exchange.respond(StatusCode::OK, body))
        }),
    );
    let mut client = server.connect();
    client.send(POST);
    heard.next();
    let begin = Instant::now();
    assert_eq!(client.response().unwrap().status, 408);
    assert!(begin.elapsed() >= Duration::from_millis(150), "{:?}", begin.elapsed());
}

/// Nobody drives the connection any more: whoever waits for it hears of that.
#[test]
fn ends_with_a_future_that_is_dropped() {
    let (mut near, far) = std::os::unix::net::UnixStream::pair().unwrap();
    std::io::Write::write_all(&mut near, POST.as_bytes()).unwrap();
    let (tell, heard) = told();
    let (tell_begin, begin) = tokio::sync::oneshot::channel();
    let tell_begin = std::sync::Mutex::new(Some(tell_begin));
    let closure = waits_for_the_body(tell);
    let server = Server::new(
        ServerConfig::default(),
        handler(move |exchange| {
            tell_begin.lock().unwrap().take().unwrap().send(()).unwrap();
            closure(exchange)
        }),
    );
    let serving = server.connection(Stream::try_from(far).unwrap(), Threads, Info::default());
    block_on(async {
        tokio::select! {
            ended = serving => panic!("{ended}"),
            heard = begin => heard.unwrap(),
        }
    });
    assert!(matches!(heard.next().kind(), EndedKind::Cancelled));
}
