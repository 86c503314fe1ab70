//! Compressed messages on the wire, and what they hold. RFC 7692.

use std::sync::Arc;

use endwell::ws::{Close, Compression, Content, Deflate, Kind, Message, WhenFull, broadcast};
use endwell::{Answered, Exchange, ServerConfig};
use flate2::{Compress, Decompress, FlushCompress, FlushDecompress};

use crate::peer::{BINARY, FIN, Frame, HANDSHAKE, PING, PONG, Peer, TEXT, close, frame, text};
use crate::service::{accept, accept_as, echo};
use crate::support::{Running, Runtime, on_every_runtime, start_with};

on_every_runtime!(
    agreed_on_and_used_both_ways,
    an_application_can_refuse,
    every_way_to_send,
    a_bomb_fails_before_it_is_inflated,
    what_is_kept_counts
);

/// The bit of the first frame of a compressed message.
const COMPRESSED: u8 = 0x40;

const OFFER: &str = "permessage-deflate; client_max_window_bits";

/// What the server says to an offer, and the connection.
fn offer(server: &Running, extensions: &str) -> (Option<String>, Peer) {
    let mut client = server.connect();
    let line = format!("sec-websocket-extensions: {extensions}\r\n\r\n");
    client.send(HANDSHAKE.strip_suffix("\r\n").unwrap().to_owned() + &line);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(client.read_exactly(1));
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let answer = head.lines().find_map(|line| line.strip_prefix("sec-websocket-extensions: "));
    (answer.map(Into::into), Peer { client })
}

fn deflating(deflate: Deflate) -> ServerConfig {
    let mut config = ServerConfig::default();
    config.deflate = Some(deflate);
    config
}

fn start<R: Runtime>(config: ServerConfig) -> Running {
    start_with::<R, _, _>(config, async |exchange: Exchange| {
        let mut socket = match exchange.path() {
            "/plain" => {
                let acceptance = exchange.acceptance().deflate(None);
                accept_as(exchange, acceptance)?
            }
            "/chat" => accept(exchange)?,
            _ => return Ok(exchange.respond(endwell::http::StatusCode::OK, "hello")),
        };
        echo(&mut socket).await;
        Err::<Answered, _>(socket.close(Close::EMPTY).await)
    })
}

/// A message as another implementation compresses it.
fn deflated(data: &[u8], stream: &mut Compress) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() + 1000);
    stream.compress_vec(data, &mut out, FlushCompress::Sync).unwrap();
    out.strip_suffix(b"\0\0\xff\xff").unwrap().into()
}

/// The whole message, inflated by another implementation if it is compressed; and its bytes on the wire.
fn inflated(peer: &mut Peer, stream: &mut Decompress) -> (u8, Vec<u8>, usize) {
    let mut frame = peer.frame();
    let (opcode, is_compressed) = (frame.first & 0x0f, frame.first & COMPRESSED != 0);
    let mut payload = frame.payload;
    while frame.first & FIN == 0 {
        frame = peer.frame();
        payload.extend(frame.payload);
        assert_eq!(frame.first & 0x7f, 0);
    }
    if !is_compressed {
        let len = payload.len();
        return (opcode, payload, len);
    }
    let bytes = [&payload[..], b"\0\0\xff\xff"].concat();
    let mut out = Vec::with_capacity(1 << 20);
    stream.decompress_vec(&bytes, &mut out, FlushDecompress::Sync).unwrap();
    (opcode | COMPRESSED, out, payload.len())
}

fn long(seed: usize) -> String {
    (0..200).fold(String::new(), |all, line| all + &format!("{seed}: all work and no play, {line}\n"))
}

fn agreed_on_and_used_both_ways<R: Runtime>() {
    let server = start::<R>(deflating(Deflate::default()));
    let (answer, mut peer) = offer(&server, OFFER);
    assert_eq!(answer.as_deref(), Some("permessage-deflate"));
    let (mut ours, mut theirs) = (Compress::new(flate2::Compression::best(), false), Decompress::new(false));
    // RFC 7692 7.2.3.1 and 7.2.3.2. What is short comes back plain.
    for payload in [&b"\xf2\x48\xcd\xc9\xc9\x07\0"[..], b"\xf2\0\x11\0\0"] {
        peer.send(frame(FIN | COMPRESSED | TEXT, payload));
        assert_eq!(peer.frame(), Frame { first: FIN | TEXT, payload: b"Hello".to_vec() });
    }
    let mut sizes = vec![];
    drop(peer);
    let (_, mut peer) = offer(&server, OFFER);
    for seed in [1, 1, 2] {
        peer.send(frame(FIN | COMPRESSED | TEXT, &deflated(long(seed).as_bytes(), &mut ours)));
        let (opcode, got, wire) = inflated(&mut peer, &mut theirs);
        assert_eq!((opcode, got), (COMPRESSED | TEXT, long(seed).into_bytes()));
        sizes.push(wire);
    }
    assert!(sizes[1] * 2 < sizes[0] && sizes[0] < 2000, "{sizes:?}");
    peer.send(close(1000));
    assert_eq!(peer.assert_fails(), 1000);
    // By itself each.
    let (answer, mut peer) = offer(&server, "permessage-deflate; server_no_context_takeover");
    assert_eq!(answer.as_deref(), Some("permessage-deflate; server_no_context_takeover"));
    for _ in 0..2 {
        peer.send(text(&long(1)));
        let (opcode, got, wire) = inflated(&mut peer, &mut Decompress::new(false));
        assert_eq!((opcode, got), (COMPRESSED | TEXT, long(1).into_bytes()));
        assert_eq!(wire, sizes[0]);
    }
}

fn an_application_can_refuse<R: Runtime>() {
    let server = start::<R>(deflating(Deflate::default()));
    let mut peer = Peer::connect_to(&server, "/plain");
    peer.send(text(&long(1)));
    assert_eq!(peer.frame().as_text(), long(1));
    peer.send(frame(FIN | COMPRESSED | TEXT, b"\xf2\x48\xcd\xc9\xc9\x07\0"));
    assert_eq!(peer.assert_fails(), 1002);
    // Nobody asked, nobody answers; and a server without it answers nobody.
    let mut peer = Peer::connect(&server);
    peer.send(text(&long(1)));
    assert_eq!(peer.frame().as_text(), long(1));
    let without = start::<R>(ServerConfig::default());
    let (answer, mut peer) = offer(&without, OFFER);
    assert_eq!(answer, None);
    peer.send(frame(FIN | COMPRESSED | BINARY, b"\0"));
    assert_eq!(peer.assert_fails(), 1002);
}

/// Through the socket, in pieces, through an outlet, and to many: with a word on each message, or none.
fn every_way_to_send<R: Runtime>() {
    let server = start_with::<R, _, _>(deflating(Deflate::default()), async |exchange: Exchange| {
        let mut socket = accept(exchange)?;
        assert!(socket.deflates());
        let plain = Message::from(long(1)).with_compression(Compression::Never);
        assert!(plain.is_data() && plain.as_text() == Some(&long(1)) && plain.len() == long(1).len());
        socket.send(plain).await?;
        let small = Message::binary(vec![7; 30]).with_compression(Compression::Always);
        assert!(matches!(small.content(), Content::Binary(data) if data == [7; 30]));
        socket.send(small).await?;
        let mut fragments = socket.send_pieces(Kind::Text);
        fragments.write(long(1)).await?;
        fragments.write(long(2)).await?;
        fragments.finish().await?;
        let mut fragments = socket.send_pieces_with(Kind::Text, Compression::Never);
        fragments.write(long(1)).await?;
        fragments.finish().await?;
        let outlet = socket.outlet();
        let _ = broadcast(long(3), [(&outlet, WhenFull::DropOldest)]).await;
        let _ = outlet.send(Message::from(long(4)).shared().with_compression(Compression::Never)).await;
        while socket.receive().await.is_some() {}
        Err::<Answered, _>(socket.close(Close::EMPTY).await)
    });
    let (_, mut peer) = offer(&server, OFFER);
    let mut stream = Decompress::new(false);
    for (first, data, at_most) in [
        (TEXT, long(1).into_bytes(), usize::MAX),
        (BINARY | COMPRESSED, vec![7; 30], 29),
        (TEXT | COMPRESSED, (long(1) + &long(2)).into_bytes(), 4000),
        (TEXT, long(1).into_bytes(), usize::MAX),
        (TEXT | COMPRESSED, long(3).into_bytes(), 2000),
        (TEXT, long(4).into_bytes(), usize::MAX),
    ] {
        let (opcode, got, wire) = inflated(&mut peer, &mut stream);
        assert!(opcode == first && got == data, "{opcode:x}, {} bytes", got.len());
        assert!(wire <= at_most, "{wire} bytes");
    }
    peer.send(close(1000));
    assert_eq!(peer.assert_fails(), 1000);
}

fn a_bomb_fails_before_it_is_inflated<R: Runtime>() {
    let mut config = deflating(Deflate::default());
    config.ws.message_bytes = 100_000;
    let server = start::<R>(config);
    let (_, mut peer) = offer(&server, OFFER);
    let bomb = deflated(&vec![0; 50 << 20], &mut Compress::new(flate2::Compression::best(), false));
    assert!(bomb.len() < 60_000, "less than the limit on the wire: {}", bomb.len());
    peer.send(frame(FIN | COMPRESSED | BINARY, &bomb));
    assert_eq!(peer.assert_fails(), 1009);
}

/// What a connection keeps of its messages is among the bytes that all of them may hold together.
fn what_is_kept_counts<R: Runtime>() {
    let mut config = deflating(Deflate::default());
    config.held_bytes = 20_000;
    let server = start::<R>(config);
    // Served before there is too much.
    let mut other = server.connect();
    let request = "GET /hello HTTP/1.1\r\nhost: a\r\n\r\n";
    other.send(request);
    assert_eq!(other.response().unwrap().status, 200);
    let (_, mut peer) = offer(&server, OFFER);
    let mut stream = Compress::new(flate2::Compression::best(), false);
    let messages: Arc<[String]> = (0..5).map(long).collect();
    for message in messages.iter() {
        peer.send(frame(FIN | COMPRESSED | TEXT, &deflated(message.as_bytes(), &mut stream)));
        let echoed = peer.frame();
        assert_eq!(echoed.first, FIN | COMPRESSED | TEXT);
    }
    // The task has waited since: what it held then is known.
    peer.send(frame(FIN | PING, b"?"));
    assert_eq!(peer.frame(), Frame { first: FIN | PONG, payload: b"?".to_vec() });
    other.send(request);
    assert_eq!(other.response().unwrap().status, 503);
    peer.send(close(1000));
    assert_eq!(peer.assert_fails(), 1000);
}
