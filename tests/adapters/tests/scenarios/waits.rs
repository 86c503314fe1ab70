//! Waiting gives the value back: a wait that is dropped loses nothing. And what a handler's own pace may not do.

use std::thread;
use std::time::Duration;

use endwell::core::Pace;
use endwell::http::{Framing, StatusCode};
use endwell::{Answered, Ended, EndedKind, Exchange, ServerConfig};

use crate::support::{Gate, Runtime, on_every_runtime, pattern, start, start_with, told};

on_every_runtime!(
    dropped_reads_lose_nothing,
    dropped_writes_tear_nothing,
    a_reset_peer_is_gone,
    a_half_closed_peer_is_not_gone,
    a_slow_handler_kills_no_healthy_peer,
);

/// Each read is dropped as often as it waits: it is polled once, then another branch is ready.
fn dropped_reads_lose_nothing<R: Runtime>() {
    let server = start::<R, _, _>(async |mut exchange: Exchange| {
        let mut all = Vec::new();
        loop {
            let piece = tokio::select! {
                biased;
                piece = exchange.read() => piece?,
                () = R::sleep(Duration::from_micros(200)) => continue,
            };
            let Some(piece) = piece else { break };
            all.extend_from_slice(&piece);
        }
        Ok::<Answered, Ended>(exchange.respond(StatusCode::OK, all))
    });
    let mut client = server.connect();
    for framing in ["content-length: 300", "transfer-encoding: chunked"] {
        client.send(format!("POST / HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n"));
        let data = pattern(300);
        let mut wire = Vec::new();
        if framing.ends_with("chunked") {
            for chunk in data.chunks(30) {
                wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                wire.extend_from_slice(chunk);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\n\r\n");
        } else {
            wire.extend_from_slice(&data);
        }
        for (index, byte) in wire.iter().enumerate() {
            client.send([*byte]);
            if index % 3 == 0 {
                // Longer than the server waits in one go.
                thread::sleep(Duration::from_micros(300));
            }
        }
        assert!(client.response().unwrap().body == data, "{framing}");
    }
}

/// A write that is dropped says what it has not handed over; going on from there loses and doubles nothing.
fn dropped_writes_tear_nothing<R: Runtime>() {
    let mut config = ServerConfig::default();
    config.output.bytes = 10_000;
    config.output.high_water = 5000;
    let server = start_with::<R, _, _>(config, async |exchange: Exchange| {
        let (_, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
        let mut rest = bytes::Bytes::from(pattern(8 << 20));
        while !rest.is_empty() {
            let mut write = response.write(rest);
            tokio::select! {
                biased;
                written = &mut write => written?,
                () = R::sleep(Duration::from_micros(50)) => {}
            }
            rest = write.into_rest();
        }
        response.finish()
    });
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    let body = client.response().unwrap().body;
    assert!(body == pattern(8 << 20), "{} bytes, or others", body.len());
}

/// Long work hears of a reset.
fn a_reset_peer_is_gone<R: Runtime>() {
    let (tell, heard) = told();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            tell.send("began").unwrap();
            let ended = exchange.gone().await;
            tell.send(if matches!(ended.kind(), EndedKind::Transport(_)) { "gone" } else { "?" }).unwrap();
            ended
        }
    });
    for body in ["", "some of its body"] {
        let mut client = server.connect();
        client.send(format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{body}"));
        assert_eq!(heard.next(), "began");
        client.reset();
        assert_eq!(heard.next(), "gone");
        assert!(matches!(server.next_end().kind(), EndedKind::Transport(_)));
    }
}

/// A client that has only ended its own side still gets its answer.
fn a_half_closed_peer_is_not_gone<R: Runtime>() {
    let gate = Gate::new();
    let (tell, heard) = told();
    let waiting = gate.clone();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let (gate, tell) = (waiting.clone(), tell.clone());
        async move {
            tell.send(()).unwrap();
            tokio::select! {
                biased;
                ended = exchange.gone() => return Err(ended),
                () = gate.pass() => {}
            }
            Ok::<Answered, Ended>(exchange.respond(StatusCode::OK, "still there"))
        }
    });
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    client.end_write();
    heard.next();
    thread::sleep(Duration::from_millis(20));
    gate.open(1);
    assert_eq!(client.response().unwrap().body, b"still there");
    client.assert_closed();
}

/// The peer sends its next piece when it has the answer to the last; the handler takes longer for each answer than
/// a peer may take for a piece. The peer waits for the handler and not the other way round.
fn a_slow_handler_kills_no_healthy_peer<R: Runtime>() {
    let mut config = ServerConfig::default();
    config.http.request_pace = Pace::silence(Duration::from_secs(1));
    let server = start_with::<R, _, _>(config, async |exchange: Exchange| {
        let (mut request, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
        while let Some(piece) = request.read().await? {
            // A read that was given up is no waiting either.
            tokio::select! {
                biased;
                early = request.read() => panic!("the peer waits for us, and sent {early:?}"),
                () = std::future::ready(()) => {}
            }
            R::sleep(Duration::from_millis(1100)).await;
            response.write(piece).await?;
        }
        response.finish()
    });
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
    let head = client.read_exactly(17);
    let mut body = Vec::new();
    for _ in 0..2 {
        client.send("3\r\nabc\r\n");
        while !body.ends_with(b"3\r\nabc\r\n") {
            body.extend(client.read_exactly(1));
        }
        body.clear();
    }
    client.send("0\r\n\r\n");
    assert_eq!(client.read_exactly(5), b"0\r\n\r\n");
    assert_eq!(head, b"HTTP/1.1 200 OK\r\n");
}
