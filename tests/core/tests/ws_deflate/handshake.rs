//! The extension in the opening handshake of both roles. RFC 6455 4, RFC 7692 5.

use bytes::{Buf, Bytes};
use endwell_core::http::Limits as HttpLimits;
use endwell_core::http::client::Client;
use endwell_core::http::server::{Exchange, Next, Server};
use endwell_core::ws::{Acceptance, Deflate, Limits, Masks, NotAHandshake, Offer, Opening, WebSocket};
use endwell_core::{Outbox, Step};

use crate::ws_help::{receive, text};

fn exchange(extensions: &str) -> Exchange {
    let request = format!(
        "GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{extensions}\r\n"
    );
    let mut server = Server::new(HttpLimits::default().into());
    assert_eq!(server.inbox().feed(request.as_bytes()), request.len());
    match server.poll() {
        Ok(Step::Done(Next::Exchange(exchange))) => exchange,
        other => panic!("no exchange: {other:?}"),
    }
}

fn acceptance(deflate: Option<Deflate>) -> Acceptance {
    Acceptance::new(Limits::default().into()).deflate(deflate.map(Into::into))
}

/// What a server says of extensions, and whether it compresses then.
fn said(extensions: &str, deflate: Option<Deflate>) -> Result<(Option<String>, bool), NotAHandshake> {
    let mut out = Outbox::default();
    let socket =
        exchange(extensions).accept(acceptance(deflate), None, &mut out).map_err(|(reason, _)| reason)?;
    let head = String::from_utf8(out.copy_to_bytes(out.len()).to_vec()).unwrap();
    let field = head.lines().find_map(|line| line.strip_prefix("sec-websocket-extensions: "));
    Ok((field.map(String::from), socket.send.deflates()))
}

#[test]
fn a_server_agrees_if_it_wants_to() {
    let offer = "Sec-WebSocket-Extensions: foo\r\nSec-WebSocket-Extensions: permessage-deflate\r\n";
    let agreed = (Some("permessage-deflate".into()), true);
    assert_eq!(said(offer, Some(Deflate::default())), Ok(agreed));
    assert_eq!(said(offer, None), Ok((None, false)));
    assert_eq!(said("", Some(Deflate::default())), Ok((None, false)));
    let declined = "Sec-WebSocket-Extensions: permessage-deflate; unknown\r\n";
    assert_eq!(said(declined, Some(Deflate::default())), Ok((None, false)));
    // RFC 6455 9.1: who does not look at the field does not judge it.
    let malformed = "Sec-WebSocket-Extensions: permessage-deflate;\r\n";
    assert_eq!(said(malformed, Some(Deflate::default())), Err(NotAHandshake::Extensions));
    assert_eq!(NotAHandshake::Extensions.status().code(), 400);
    assert_eq!(said(malformed, None), Ok((None, false)));
}

fn offer(deflate: Option<Deflate>) -> Offer {
    let offer = Offer::new("example.com", "/chat", *b"the sample nonce", Limits::default().into()).unwrap();
    offer.deflate(deflate.map(Into::into))
}

/// A client that offers `deflate`, and is answered with these lines.
fn opened(deflate: Option<Deflate>, extensions: &str) -> Option<(WebSocket, String)> {
    let mut out = Outbox::default();
    let masks = Masks::new(|| [1, 2, 3, 4]);
    let mut handshake = Client::new(HttpLimits::default().into()).upgrade(offer(deflate), masks, &mut out);
    let request = String::from_utf8(out.copy_to_bytes(out.len()).to_vec()).unwrap();
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{extensions}\r\n"
    );
    handshake.inbox().feed(answer.as_bytes());
    match handshake.poll() {
        Ok(Step::Done(Opening::Open(socket, _))) => Some((socket, request)),
        Ok(other) => panic!("{other:?}"),
        Err(_) => None,
    }
}

#[test]
fn a_client_takes_the_answer_or_fails() {
    let agreed = "sec-websocket-extensions: permessage-deflate; client_max_window_bits=10\r\n";
    let (socket, request) = opened(Some(Deflate::default()), agreed).unwrap();
    assert!(socket.send.deflates());
    let field = "sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n";
    assert!(request.contains(field), "{request}");
    let (socket, _) = opened(Some(Deflate::default()), "").unwrap();
    assert!(!socket.send.deflates());
    let eight = "sec-websocket-extensions: permessage-deflate; client_max_window_bits=8\r\n";
    let (socket, _) = opened(Some(Deflate::default()), eight).unwrap();
    assert!(!socket.send.deflates());
    // What was not offered.
    let (_, request) = opened(None, "").unwrap();
    assert!(!request.contains("extensions"), "{request}");
    for (deflate, answer) in [
        (None, "permessage-deflate"),
        (Some(Deflate::default()), "permessage-deflate; client_max_window_bits=7"),
        (Some(Deflate::default()), "foo"),
        (Some(Deflate::without_context()), "permessage-deflate"),
    ] {
        let line = format!("sec-websocket-extensions: {answer}\r\n");
        assert!(opened(deflate, &line).is_none(), "{answer}");
    }
}

/// Both handshakes, and a compressed message each way.
#[test]
fn two_of_ours_agree_on_the_wire() {
    let mut out = Outbox::default();
    let masks = Masks::new(|| [1, 2, 3, 4]);
    let mut handshake =
        Client::new(HttpLimits::default().into()).upgrade(offer(Some(Deflate::default())), masks, &mut out);
    let mut server = Server::new(HttpLimits::default().into());
    server.inbox().feed(&out.copy_to_bytes(out.len()));
    let Ok(Step::Done(Next::Exchange(exchange))) = server.poll() else { panic!("a request") };
    let mut theirs = exchange.accept(acceptance(Some(Deflate::default())), None, &mut out).unwrap();
    handshake.inbox().feed(&out.copy_to_bytes(out.len()));
    let Ok(Step::Done(Opening::Open(mut ours, _))) = handshake.poll() else { panic!("an answer") };
    let long = "all work and no play ".repeat(100);
    for _ in 0..3 {
        ours.send.text(&long, &mut out).unwrap();
        let bytes: Bytes = out.copy_to_bytes(out.len());
        assert!(bytes.len() < 100, "{} bytes", bytes.len());
        theirs.recv.inbox().feed(&bytes);
        assert_eq!(receive(&mut theirs.recv, &mut None, &mut out), [text(&long)]);
        theirs.send.text(&long, &mut out).unwrap();
        ours.recv.inbox().feed(&out.copy_to_bytes(out.len()));
        assert_eq!(receive(&mut ours.recv, &mut None, &mut out), [text(&long)]);
    }
}
