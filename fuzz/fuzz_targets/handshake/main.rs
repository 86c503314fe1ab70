//! A WebSocket handshake: accepted only if an independent reader of the request says so.
//!
//! The input is two lines of plan and then the stream, so that seeds are written by hand:
//!
//! ```text
//! s1            `s` the same Origin, `l` a list, `a` any; a digit: that subprotocol of those that are offered, `f`
//!               one that another request offered
//! !9            how many bytes come at once
//! GET /chat HTTP/1.1 ...
//! ```
#![no_main]

mod oracle;

use endwell_core::OutboxLimits;
use endwell_core::http::server::{Exchange, Next, ServerConnection};
use endwell_core::http::{Field, FieldSection, HttpLimits, RequestHead};
use endwell_core::ws::{self, Acceptance, Origins, Subprotocol};
use endwell_fuzz::{Arrival, Peer, Transport};
use libfuzzer_sys::fuzz_target;
use oracle::Wanted;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(3, |&byte| byte == b'\n');
    let mut next = || parts.next().unwrap_or_default();
    let (options, cuts, stream) = (next(), next(), next());
    let peer = Peer { quiet: false, cuts, stream };
    let whole = run(options, &peer, Arrival::Whole);
    assert_eq!(whole, run(options, &peer, Arrival::Pieces), "whole and in pieces: the outcomes differ");
});

fn run(options: &[u8], peer: &Peer<'_>, arrival: Arrival) -> Option<(String, Vec<u8>)> {
    let mut transport = transport(peer, arrival);
    let (head, exchange) = exchange(&mut transport)?;
    let acceptance = Acceptance::new(ws::SocketLimits::default().into());
    let list = vec!["https://b.example".to_owned(), "http://a".to_owned()];
    let origins = match options.first() {
        Some(b'a') => Origins::Any,
        Some(b'l') => Origins::List(list.clone()),
        _ => Origins::Same,
    };
    let mut offered = Subprotocol::offered(&head);
    let chosen = match options.get(1) {
        Some(b'f') => foreign(),
        Some(digit @ b'0'..=b'9') => offered.nth(usize::from(digit - b'0')),
        _ => None,
    };
    drop(offered);
    let acceptance = acceptance
        .origins(origins.clone())
        .fields(FieldSection::new().with(Field::from_static("set-cookie", "a=b")));
    let acceptance = match &chosen {
        Some(chosen) => acceptance.subprotocol(chosen.clone()),
        None => acceptance,
    };
    let chosen = chosen.map(|chosen| chosen.as_str().to_owned());
    let wanted = oracle::wanted(&head, &origins, chosen.as_deref());
    let outcome = match exchange.accept(acceptance, None) {
        Ok(mut socket) => {
            let Wanted::Accept(value) = wanted else { panic!("accepted, but {wanted:?}") };
            assert_eq!(socket.subprotocol(), chosen.as_deref());
            transport.flush(&mut socket.io());
            oracle::check_switch(&transport.sent, &value, chosen.as_deref());
            // What stands behind the head is received by the WebSocket, and nothing before it.
            let head = transport.consumed(&socket.io());
            assert!(peer.stream[..head].ends_with(b"\r\n\r\n"));
            format!("accepted behind {head} bytes")
        }
        Err((reason, mut exchange)) => {
            assert_eq!(exchange.io().queued(), 0, "a refusal is written by the caller");
            let Wanted::Refuse(because) = wanted else { panic!("refused, {reason}, but it is a handshake") };
            assert_eq!(format!("{reason:?}"), because);
            let mut answered = exchange.respond(&reason.head(), "no".into(), None);
            transport.flush(&mut answered.io());
            let status = format!("HTTP/1.1 {} ", reason.status().as_u16());
            assert!(transport.sent.starts_with(status.as_bytes()), "{}", transport.sent.escape_ascii());
            reason.to_string()
        }
    };
    Some((outcome, without_close(&head, transport.sent)))
}

/// Whether a refusal announces the close also depends on how much of the request's content has arrived, and a client that
/// waits for 100 Continue may never send it.
fn without_close(head: &RequestHead, sent: Vec<u8>) -> Vec<u8> {
    const CLOSE: &[u8] = b"connection: close\r\n";
    let frames =
        |name: &str| ["content-length", "transfer-encoding"].iter().any(|of| name.eq_ignore_ascii_case(of));
    match sent.windows(CLOSE.len()).position(|line| line == CLOSE) {
        Some(at) if head.fields().iter().any(|(name, _)| frames(name)) => {
            [&sent[..at], &sent[at + CLOSE.len()..]].concat()
        }
        _ => sent,
    }
}

fn transport<'a>(peer: &'a Peer<'a>, arrival: Arrival) -> Transport<'a> {
    Transport::new(peer, arrival, HttpLimits::default().received_bytes)
}

/// The first request, if it is one.
fn exchange(transport: &mut Transport<'_>) -> Option<(RequestHead, Exchange)> {
    let mut server = ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    loop {
        match server.poll() {
            Next::Wait(waiting) => {
                server = waiting;
                transport.turn(server.io());
            }
            Next::Request(head, exchange) => return Some((head, exchange)),
            Next::Closing(_) | Next::Refused(_) => return None,
        }
    }
}

/// A subprotocol that another request offers.
fn foreign() -> Option<Subprotocol> {
    let stream = b"GET / HTTP/1.1\r\nHost: b\r\nSec-WebSocket-Protocol: foreign\r\n\r\n";
    let peer = Peer { quiet: false, cuts: b"", stream };
    let (head, _exchange) = exchange(&mut transport(&peer, Arrival::Whole))?;
    Subprotocol::offered(&head).next()
}
