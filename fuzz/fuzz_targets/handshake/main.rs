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

use bytes::Buf;
use endwell_core::http::server::{Exchange, Next, Server};
use endwell_core::http::{Field, FieldSection, Limits};
use endwell_core::ws::{self, Acceptance, Origins, Subprotocol};
use endwell_core::{Outbox, Step};
use endwell_fuzz::{Arrival, Feed, Peer};
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
    let mut feed = Feed::new(peer, arrival);
    let exchange = exchange(&mut feed)?;
    let acceptance = Acceptance::new(ws::Limits::default().into());
    let list = vec!["https://b.example".to_owned(), "http://a".to_owned()];
    let origins = match options.first() {
        Some(b'a') => Origins::Any,
        Some(b'l') => Origins::List(list.clone()),
        _ => Origins::Same,
    };
    let mut offered = Subprotocol::offered(&exchange.head);
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
    let wanted = oracle::wanted(&exchange.head, &origins, chosen.as_deref());
    let mut out = Outbox::default();
    let outcome = match exchange.accept(acceptance, None, &mut out) {
        Ok(mut socket) => {
            let Wanted::Accept(value) = wanted else { panic!("accepted, but {wanted:?}") };
            assert_eq!(socket.subprotocol.as_deref(), chosen.as_deref());
            let written = out.copy_to_bytes(out.len());
            oracle::check_switch(&written, &value, chosen.as_deref());
            // What stands behind the head is received by the WebSocket, and nothing before it.
            let inbox = socket.recv.inbox();
            let head = feed.position() - inbox.len();
            assert_eq!(inbox.unread(), &peer.stream[head..feed.position()], "the leftover is not kept");
            assert!(peer.stream[..head].ends_with(b"\r\n\r\n"));
            (format!("accepted behind {head} bytes"), written.to_vec())
        }
        Err((reason, exchange)) => {
            assert!(out.is_empty(), "a refusal is written by whoever refuses");
            let Wanted::Refuse(because) = wanted else { panic!("refused, {reason}, but it is a handshake") };
            assert_eq!(format!("{reason:?}"), because);
            let Exchange { mut recv, send, .. } = *exchange;
            let sent = send.respond(&reason.head(), "no".into(), None, &mut recv, &mut out);
            drop(recv.after(sent));
            let written = out.copy_to_bytes(out.len()).to_vec();
            let status = format!("HTTP/1.1 {} ", reason.status().code());
            assert!(written.starts_with(status.as_bytes()), "{}", written.escape_ascii());
            (reason.to_string(), written)
        }
    };
    Some(outcome)
}

/// The first request, if it is one.
fn exchange(feed: &mut Feed<'_>) -> Option<Exchange> {
    let mut server = Server::new(Limits::default().into());
    loop {
        match server.poll() {
            Ok(Step::Wait(waiting)) => {
                server = waiting;
                let deadline = server.deadline();
                feed.next(server.inbox(), deadline);
            }
            Ok(Step::Done(Next::Exchange(exchange))) => return Some(exchange),
            Ok(Step::Done(Next::Closed(_))) | Err(_) => return None,
        }
    }
}

/// A subprotocol that another request offers.
fn foreign() -> Option<Subprotocol> {
    let stream = b"GET / HTTP/1.1\r\nHost: b\r\nSec-WebSocket-Protocol: foreign\r\n\r\n";
    let peer = Peer { quiet: false, cuts: b"", stream };
    let exchange = exchange(&mut Feed::new(&peer, Arrival::Whole))?;
    Subprotocol::offered(&exchange.head).next()
}
