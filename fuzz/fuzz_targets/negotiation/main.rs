//! The negotiation of compression, RFC 7692 7.1: no offer and no answer can panic or agree on what the other end does not
//! understand.
//!
//! The input is a line of plan, and then the value of Sec-WebSocket-Extensions:
//!
//! ```text
//! s9f           `s`: an offer to our server; `c`: an answer to our client; then our window, 8 to f, and theirs
//! permessage-deflate; client_max_window_bits
//! ```
#![no_main]

use core::convert::Infallible;

use endwell_core::http::HttpLimits;
use endwell_core::http::client::{ClientConnection, Handshake, Opening};
use endwell_core::http::server::{Next, ServerConnection};
use endwell_core::ws::{self, Acceptance, Deflate, Masks, Offer, WindowBits};
use endwell_core::ws::{Event, Socket};
use endwell_core::{Instant, Io, Look, OutboxLimits, Wrote};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(2, |&byte| byte == b'\n');
    let (plan, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if value.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        return;
    }
    let deflate = deflate(plan);
    if plan.first() == Some(&b'c') { answer(value, deflate) } else { offer(value, deflate) }
});

fn deflate(plan: &[u8]) -> Deflate {
    let bits = |at: usize| {
        let digit = char::from(plan.get(at).copied().unwrap_or(b'f')).to_digit(16).unwrap_or(15);
        u8::try_from(digit).ok().and_then(WindowBits::new)
    };
    let mut deflate = Deflate::default();
    if let Some(window) = bits(1) {
        deflate.window = window;
    }
    if let Some(window) = bits(2) {
        deflate.received_context = Some(window);
    }
    deflate
}

/// What our server answers to an offer, a client of ours that made this offer would understand; and a message passes.
fn offer(value: &[u8], deflate: Deflate) {
    let mut server = ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    feed(server.io(), b"GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n");
    feed(server.io(), b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-extensions: ");
    feed(server.io(), value);
    feed(server.io(), b"\r\n\r\n");
    let Next::Request(_, exchange) = server.poll() else { return };
    let acceptance = Acceptance::new(ws::SocketLimits::default().into()).deflate(Some(deflate.into()));
    let Ok(mut socket) = exchange.accept(acceptance, None) else { return };
    let head = take(socket.io());
    let text = String::from_utf8(head).expect("the head of a response is text");
    let answers = text.lines().filter(|line| line.starts_with("sec-websocket-extensions: ")).count();
    assert!(answers <= 1, "{text}");
    assert_eq!(text.contains("permessage-deflate"), answers == 1, "{text}");
    let long = "endwell ".repeat(100);
    socket.writer().text(&long).expect("there is room");
    let frame = take(socket.io());
    let is_compressed = frame.first().is_some_and(|first| first & 0x40 != 0);
    assert!(answers == 1 || !is_compressed, "compressed, and nothing was agreed on");
}

/// An answer that our client takes leaves a socket that writes and reads; any other ends the connection.
fn answer(value: &[u8], deflate: Deflate) {
    let offer = Offer::new("h", "/", *b"the sample nonce", ws::SocketLimits::default().into())
        .expect("a host and a path");
    let client = ClientConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    let mut handshake: Handshake<Socket> =
        client.websocket(offer.deflate(Some(deflate.into())), Masks::new(|| [1, 2, 3, 4]));
    let asked = take(handshake.io());
    assert!(asked.ends_with(b"\r\n\r\n"));
    feed(handshake.io(), b"HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: websocket\r\n");
    feed(handshake.io(), b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nsec-websocket-extensions: ");
    feed(handshake.io(), value);
    feed(handshake.io(), b"\r\n\r\n\x81\x05hello");
    match handshake.poll() {
        Opening::Open(_, mut socket) => {
            assert!(matches!(socket.event(), Some(Event::Text(text)) if &*text == "hello"));
            assert!(socket.writer().text(&"endwell ".repeat(100)).is_ok());
            assert!(!take(socket.io()).is_empty());
        }
        Opening::Failed(_) | Opening::Wait(_) => {}
        Opening::Refused(call) => panic!("a 101 is no refusal: {call:?}"),
    }
}

fn feed(mut io: Io<'_>, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let mut taken = 0;
        let Ok(_) = io.read(Instant::default(), |room| {
            taken = room.len().min(bytes.len());
            room[..taken].copy_from_slice(&bytes[..taken]);
            Ok::<_, Infallible>(Look::Bytes(taken))
        });
        if taken == 0 {
            return;
        }
        bytes = &bytes[taken..];
    }
}

fn take(mut io: Io<'_>) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let before = all.len();
        let Ok(wrote) = io.write(Instant::default(), |chunks| {
            all.extend(chunks.flatten());
            Ok::<_, Infallible>(Some(all.len() - before))
        });
        if wrote != Wrote::Something {
            return all;
        }
    }
}
