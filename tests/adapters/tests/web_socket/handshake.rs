//! S3, S4 and S39: what comes with the request, in which pieces, and from which page.

use std::io::Write;
use std::time::{Duration, Instant};

use endwell::ws::{Close, Origins};
use endwell::{Ended, Exchange};

use crate::peer::{FIN, HANDSHAKE, PING, PONG, Peer, TEXT, close, frame, text};
use crate::service::{accept_as, closing_within, echo};
use crate::support::{Runtime, on_every_runtime, start_with};
use crate::tally::Tally;

on_every_runtime!(
    frames_behind_the_request,
    a_handshake_in_segments_of_one_byte,
    a_large_head_in_segments_of_one_byte,
    pages_of_other_sites,
);

/// Accepts pages as the path says.
async fn serve(exchange: Exchange) -> Ended {
    let origins = match exchange.path() {
        "/any" => Origins::Any,
        "/list" => Origins::List(vec!["https://example.com".into()]),
        _ => Origins::Same,
    };
    let acceptance = exchange.acceptance().origins(origins);
    let mut socket = match accept_as(exchange, acceptance) {
        Ok(socket) => socket,
        Err(ended) => return ended,
    };
    echo(&mut socket).await;
    socket.close(Close::EMPTY).await
}

fn start<R: Runtime>() -> crate::support::Running {
    let mut config = closing_within(Duration::from_secs(5));
    config.http.head_time = Duration::from_secs(10);
    start_with::<R, _, _>(config, serve)
}

/// S3: the request and the first frames in one segment, also with the last frame cut anywhere.
fn frames_behind_the_request<R: Runtime>() {
    let server = start::<R>();
    let long = "long ".repeat(400);
    let all = [
        HANDSHAKE.into(),
        text("one"),
        frame(FIN | PING, b"two"),
        frame(TEXT, b"thr"),
        frame(FIN, b"ee"),
        text(&long),
        close(1000),
    ]
    .concat();
    for behind in (0..all.len() - HANDSHAKE.len()).step_by(7) {
        let (now, later) = all.split_at(all.len() - behind);
        let mut client = server.connect();
        client.send(now);
        client.send(later);
        let mut peer = Peer::accepted(client);
        assert_eq!(peer.frame().as_text(), "one");
        assert_eq!(peer.frame(), crate::peer::Frame { first: FIN | PONG, payload: b"two".into() });
        assert_eq!(peer.frame().as_text(), "three");
        assert_eq!(peer.frame().as_text(), long);
        assert_eq!(peer.assert_fails(), 1000);
    }
}

/// S4, the ordinary one.
fn a_handshake_in_segments_of_one_byte<R: Runtime>() {
    const ROUNDS: usize = 20;
    let server = start::<R>();
    let mut tally = Tally::default();
    for _ in 0..ROUNDS {
        let mut client = server.connect();
        client.send_bytewise(HANDSHAKE);
        let mut peer = Peer::accepted(client);
        tally.count("accepted");
        for byte in [text("byte by byte"), close(1000)].concat() {
            peer.send([byte]);
        }
        assert_eq!(peer.frame().as_text(), "byte by byte");
        assert_eq!(peer.assert_fails(), 1000);
        drop(peer);
        tally.add(&server.next_end());
    }
    println!("S4  {:<9} {} bytes in 1-byte segments: {ROUNDS} rounds, {tally}", R::NAME, HANDSHAKE.len());
    tally.assert_no_write_errors();
    assert_eq!((tally.of("accepted"), tally.of("closed by the peer")), (ROUNDS, ROUNDS));
}

/// S4, the attack: it is refused at the bound of a head, and the time grows as the bytes do.
fn a_large_head_in_segments_of_one_byte<R: Runtime>() {
    let server = start::<R>();
    for len in [16 << 10, 64 << 10] {
        let mut client = server.connect();
        let began = Instant::now();
        let start = HANDSHAKE.strip_suffix("\r\n").unwrap();
        client.send(format!("{start}x-long: "));
        let mut sent = 0;
        // Once it is refused, nobody takes more.
        while sent < len && client.socket.write_all(b"x").is_ok() {
            sent += 1;
        }
        let _ = client.socket.write_all(b"\r\n\r\n");
        let took = began.elapsed();
        let response = client.response();
        let status = response.as_ref().map(|response| response.status).unwrap_or_default();
        println!("S4  {:<9} {len} bytes in 1-byte segments: status {status} after {took:.0?}", R::NAME);
        assert_eq!(status, if len > 32 << 10 { 431 } else { 101 }, "{response:?}");
        assert!(took < Duration::from_secs(10));
        drop(client);
        let _ = server.next_end();
    }
}

/// S39: the same site and no page pass, others do not.
fn pages_of_other_sites<R: Runtime>() {
    let server = start::<R>();
    for (path, origin, status) in [
        ("/chat", None, 101),
        ("/chat", Some("http://a"), 101),
        ("/chat", Some("https://A:443"), 101),
        ("/chat", Some("http://b"), 403),
        ("/chat", Some("http://a:8080"), 403),
        ("/chat", Some("http://a.b"), 403),
        ("/chat", Some("null"), 403),
        ("/list", Some("https://example.com"), 101),
        ("/list", Some("http://example.com"), 403),
        ("/list", Some("http://a"), 403),
        ("/any", Some("http://b"), 101),
        ("/any", Some("null"), 101),
    ] {
        let line = origin.map_or("\r\n".into(), |origin| format!("origin: {origin}\r\n\r\n"));
        let request = format!("{}{line}", HANDSHAKE.strip_suffix("\r\n").unwrap()).replace("/chat", path);
        let mut client = server.connect();
        client.send(request);
        assert_eq!(client.response_to("HEAD").unwrap().status, status, "{path} {origin:?}");
    }
}
