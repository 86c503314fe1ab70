//! The connection ends when it is over, however long its handler goes on; and no handler goes on for a peer that left.

use std::future::{pending, poll_fn};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use endwell::core::Limit;
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::{Answered, Ended, EndedKind, Exchange, OnGone, ServerConfig};

use crate::aborted::aborted;
use crate::support::{Client, Gate, LONG, Runtime, on_every_runtime, start, start_narrow, start_with, told};

on_every_runtime!(
    the_last_answer_ends_it,
    a_handler_that_waits_is_dropped_after_a_reset,
    a_handler_that_waits_is_dropped_after_a_half_close,
    a_handler_that_asked_to_finish_does,
    a_half_closed_peer_that_reads_gets_everything,
    a_half_close_is_told_at_once,
    a_handler_has_a_time_as_a_whole,
    a_web_socket_handler_is_dropped_after_its_grace,
    a_web_socket_that_receives_nothing_ends_when_its_peer_leaves,
    one_slot_serves_whoever_comes_after_those_that_left,
    a_stream_that_nobody_reads_ends_with_a_reset,
    a_reset_behind_all_that_is_read_ends_a_connection,
    a_reset_is_no_end_of_a_stream,
    a_handler_that_has_answered_is_dropped_after_a_half_close,
    a_stream_has_an_idle_time_if_it_is_set,
    a_stream_is_told_that_the_server_stops,
);

const SHORT: Duration = Duration::from_millis(100);

/// Tells when it is dropped.
struct Tells(SyncSender<&'static str>, &'static str);

impl Drop for Tells {
    fn drop(&mut self) {
        let _ = self.0.send(self.1);
    }
}

/// The client reads the end of the stream while the handler still works.
fn the_last_answer_ends_it<R: Runtime>() {
    let gate = Gate::new();
    let waiting = gate.clone();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let gate = waiting.clone();
        async move {
            let answered = exchange.respond(StatusCode::OK, "done");
            gate.pass().await;
            answered
        }
    });
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    assert_eq!(client.response().unwrap().body, b"done");
    client.assert_closed();
    gate.open(1);
    assert!(matches!(server.next_end().kind(), EndedKind::Announced));
}

/// A handler that waits for something else than its peer.
async fn long_poll(exchange: Exchange, tell: SyncSender<&'static str>) -> Answered {
    tell.send("began").unwrap();
    let _dropped = Tells(tell, "dropped");
    pending::<()>().await;
    exchange.respond(StatusCode::OK, "never")
}

fn a_handler_that_waits_is_dropped_after_a_reset<R: Runtime>() {
    let (tell, heard) = told();
    let server = start::<R, _, _>(move |exchange: Exchange| long_poll(exchange, tell.clone()));
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(heard.next(), "began");
    client.reset();
    assert_eq!(heard.next(), "dropped");
    assert!(matches!(server.next_end().kind(), EndedKind::Transport(_)));
    assert_eq!(server.counters.cancelled(), 1);
}

fn a_handler_that_waits_is_dropped_after_a_half_close<R: Runtime>() {
    let (tell, heard) = told();
    let mut config = ServerConfig::default();
    config.half_closed = Some(SHORT);
    let server = start_with::<R, _, _>(config, move |exchange: Exchange| long_poll(exchange, tell.clone()));
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(heard.next(), "began");
    client.end_write();
    assert_eq!(heard.next(), "dropped");
    let ended = server.next_end();
    assert!(matches!(ended.kind(), EndedKind::Limit(met) if met.limit == Limit::HalfClosedTime), "{ended}");
}

fn a_handler_that_asked_to_finish_does<R: Runtime>() {
    let (tell, heard) = told();
    let gate = Gate::new();
    let waiting = gate.clone();
    let server = start::<R, _, _>(move |mut exchange: Exchange| {
        let (tell, gate) = (tell.clone(), waiting.clone());
        async move {
            exchange.set_on_gone(OnGone::Finish);
            tell.send("began").unwrap();
            let ended = exchange.gone().await;
            tell.send("gone").unwrap();
            gate.pass().await;
            tell.send("finished").unwrap();
            ended
        }
    });
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(heard.next(), "began");
    client.reset();
    assert_eq!(heard.next(), "gone");
    gate.open(1);
    assert_eq!(heard.next(), "finished");
    assert!(matches!(server.next_end().kind(), EndedKind::Transport(_)));
    assert_eq!(server.counters.cancelled(), 0);
}

/// Its time starts again with whatever it takes, and stands still while there is something to take.
fn a_half_closed_peer_that_reads_gets_everything<R: Runtime>() {
    const PIECE: usize = 1 << 20;
    let gate = Gate::new();
    let waiting = gate.clone();
    let mut config = ServerConfig::default();
    config.half_closed = Some(SHORT);
    let server = start_narrow::<R, _, _>(config, move |exchange: Exchange| {
        let gate = waiting.clone();
        async move {
            let (_, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
            gate.pass().await;
            response.write(vec![b'x'; PIECE]).await?;
            response.finish()
        }
    });
    let mut client = Client::connect_narrow(server.address);
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    client.end_write();
    gate.open(1);
    // Longer than its time as one that has left, with output to take.
    std::thread::sleep(SHORT * 3);
    assert_eq!(client.response().unwrap().body.len(), PIECE);
}

fn a_half_close_is_told_at_once<R: Runtime>() {
    let (tell, heard) = told();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            tell.send("began").unwrap();
            exchange.half_closed().await;
            tell.send("half closed").unwrap();
            exchange.respond(StatusCode::OK, "still there")
        }
    });
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(heard.next(), "began");
    client.end_write();
    assert_eq!(heard.next(), "half closed");
    assert_eq!(client.response().unwrap().body, b"still there");
}

fn a_handler_has_a_time_as_a_whole<R: Runtime>() {
    let (tell, heard) = told();
    let mut config = ServerConfig::default();
    config.handler_time = Some(SHORT);
    let server = start_with::<R, _, _>(config, move |exchange: Exchange| long_poll(exchange, tell.clone()));
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(heard.next(), "began");
    assert_eq!(client.response().unwrap().status, 503);
    assert_eq!(heard.next(), "dropped");
    client.assert_closed();
}

const UPGRADE: &str = "GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

fn a_web_socket_handler_is_dropped_after_its_grace<R: Runtime>() {
    let (tell, heard) = told();
    let mut config = ServerConfig::default();
    config.handler_grace = SHORT;
    let server = start_with::<R, _, _>(config, move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let acceptance = exchange.acceptance();
            let Ok(mut socket) = exchange.accept(acceptance) else { return Err(aborted()) };
            tell.send("began").unwrap();
            let _dropped = Tells(tell.clone(), "dropped");
            while socket.send("more").await.is_ok() {}
            tell.send("told").unwrap();
            pending::<Result<Answered, Ended>>().await
        }
    });
    let mut client = server.connect();
    client.send(UPGRADE);
    assert_eq!(heard.next(), "began");
    client.reset();
    assert_eq!(heard.next(), "told");
    assert_eq!(heard.next(), "dropped");
    server.next_end();
}

/// Its handler waits for something else, with a message unread or without one.
fn a_web_socket_that_receives_nothing_ends_when_its_peer_leaves<R: Runtime>() {
    let (tell, heard) = told();
    let mut config = ServerConfig::default();
    (config.half_closed, config.handler_grace) = (Some(SHORT), SHORT);
    let server = start_with::<R, _, _>(config, move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let acceptance = exchange.acceptance();
            let Ok(socket) = exchange.accept(acceptance) else { return Err(aborted()) };
            tell.send("began").unwrap();
            let _dropped = Tells(tell, "dropped");
            pending::<()>().await;
            drop(socket);
            Err::<Answered, _>(aborted())
        }
    });
    for unread in [&b""[..], b"\x81\x80\0\0\0\0"] {
        let mut client = server.connect();
        client.send(UPGRADE);
        client.send(unread);
        assert_eq!(heard.next(), "began");
        client.end_write();
        assert_eq!(heard.next(), "dropped");
        server.next_end();
    }
}

/// The listener has one slot.
fn one_slot_serves_whoever_comes_after_those_that_left<R: Runtime>() {
    let mut config = ServerConfig::default();
    config.connections = 1;
    config.half_closed = Some(SHORT);
    let server = start_with::<R, _, _>(config, async |exchange: Exchange| {
        if exchange.path() == "/wait" {
            pending::<()>().await;
        }
        exchange.respond(StatusCode::OK, "served")
    });
    let begin = std::time::Instant::now();
    for leave in [Client::reset, |client: Client| client.end_write(), drop] {
        let mut client = server.connect();
        client.send("GET /wait HTTP/1.1\r\nhost: a\r\n\r\n");
        leave(client);
        let mut next = server.connect();
        next.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        assert_eq!(next.response().unwrap().body, b"served");
    }
    assert!(begin.elapsed() < LONG);
}

const TUNNEL: &str = "GET / HTTP/1.1\r\nhost: a\r\nupgrade: raw\r\nconnection: upgrade\r\n\r\n";

/// Holds a stream of another protocol, and does not use it.
fn holds_a_stream<R: Runtime>(config: ServerConfig, begin: &str) -> (crate::support::Running, Client) {
    let (tell, heard) = told();
    let server = start_with::<R, _, _>(config, move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let Ok((stream, answered)) = exchange.switch("raw", &FieldSection::new()) else {
                return Err(aborted());
            };
            tell.send("began").unwrap();
            stream.gone().await;
            Ok(answered)
        }
    });
    let mut client = server.connect();
    client.send(format!("{TUNNEL}{begin}"));
    assert_eq!(heard.next(), "began");
    (server, client)
}

fn a_stream_that_nobody_reads_ends_with_a_reset<R: Runtime>() {
    let (server, client) = holds_a_stream::<R>(ServerConfig::default(), "unread");
    client.reset();
    assert!(matches!(server.next_end().kind(), EndedKind::Transport(_)));
}

/// Behind the end of a stream, and behind more than is read ahead. The driver asks in each turn of a handler.
fn a_reset_behind_all_that_is_read_ends_a_connection<R: Runtime>() {
    let (tell, heard) = told();
    let mut config = ServerConfig::default();
    config.handler_grace = SHORT;
    let server = start_with::<R, _, _>(config, move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            tell.send("began").unwrap();
            if exchange.path() == "/" {
                let _held = exchange.switch("raw", &FieldSection::new()).map_err(|_| aborted())?;
                return ticks::<R>().await;
            }
            let _held = exchange;
            ticks::<R>().await
        }
    });
    let mut client = server.connect();
    client.send(TUNNEL);
    assert_eq!(heard.next(), "began");
    client.end_write();
    client.reset();
    assert!(matches!(server.next_end().kind(), EndedKind::Transport(_)));
    let mut client = server.connect();
    client.send("POST /upload HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n");
    client.send(vec![b'x'; 300_000]);
    assert_eq!(heard.next(), "began");
    client.reset();
    assert!(matches!(server.next_end().kind(), EndedKind::Transport(_)));
}

async fn ticks<R: Runtime>() -> Result<Answered, Ended> {
    loop {
        R::sleep(SHORT / 10).await;
    }
}

fn a_reset_is_no_end_of_a_stream<R: Runtime>() {
    let (tell, heard) = told();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let (mut stream, answered) =
                exchange.switch("raw", &FieldSection::new()).map_err(|_| aborted())?;
            let mut buffer = [0; 100];
            loop {
                let read = poll_fn(|cx| stream.poll_read(cx, &mut buffer)).await.map_err(|_| "failed");
                tell.send(read).unwrap();
                if !matches!(read, Ok(1..)) {
                    return Ok::<_, Ended>(answered);
                }
            }
        }
    });
    let mut client = server.connect();
    client.send(format!("{TUNNEL}some"));
    assert_eq!(heard.next(), Ok(4));
    client.reset();
    assert_eq!(heard.next(), Err("failed"));
}

/// Its connection is kept alive: the end of the stream comes between two requests.
fn a_handler_that_has_answered_is_dropped_after_a_half_close<R: Runtime>() {
    let (tell, heard) = told();
    let mut config = ServerConfig::default();
    (config.half_closed, config.handler_grace) = (Some(SHORT), SHORT);
    let server = start_with::<R, _, _>(config, move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let _dropped = Tells(tell, "dropped");
            let answered = exchange.respond(StatusCode::OK, "answer");
            pending::<()>().await;
            answered
        }
    });
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(client.response().unwrap().body, b"answer");
    client.end_write();
    assert_eq!(heard.next(), "dropped");
    let ended = server.next_end();
    assert!(matches!(ended.kind(), EndedKind::Limit(met) if met.limit == Limit::HalfClosedTime), "{ended}");
}

fn a_stream_has_an_idle_time_if_it_is_set<R: Runtime>() {
    let server = start::<R, _, _>(async |exchange: Exchange| {
        let (mut stream, answered) = exchange.switch("raw", &FieldSection::new()).map_err(|_| aborted())?;
        stream.set_idle_time(Some(SHORT));
        stream.gone().await;
        Ok::<_, Ended>(answered)
    });
    let mut client = server.connect();
    client.send(TUNNEL);
    let ended = server.next_end();
    assert!(matches!(ended.kind(), EndedKind::Limit(met) if met.limit == Limit::IdleTime), "{ended}");
}

fn a_stream_is_told_that_the_server_stops<R: Runtime>() {
    let (tell, heard) = told();
    let mut server = start::<R, _, _>(move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let (stream, answered) = exchange.switch("raw", &FieldSection::new()).map_err(|_| aborted())?;
            tell.send("began").unwrap();
            stream.stopping().await;
            Ok::<_, Ended>(answered)
        }
    });
    let mut client = server.connect();
    client.send(TUNNEL);
    assert_eq!(heard.next(), "began");
    server.stop();
    assert!(client.rest().starts_with(b"HTTP/1.1 101 "));
    assert!(matches!(server.next_end().kind(), EndedKind::Upgraded));
}
