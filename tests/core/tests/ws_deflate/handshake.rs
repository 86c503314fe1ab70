//! The extension in the opening handshake of both roles. RFC 6455 4, RFC 7692 5.

use endwell_core::OutboxLimits;
use endwell_core::http::HttpLimits;
use endwell_core::http::client::{ClientConnection, Handshake, Opening};
use endwell_core::http::server::{Exchange, Next, ServerConnection};
use endwell_core::ws::Socket;
use endwell_core::ws::{Acceptance, Deflate, Masks, NotAHandshake, Offer, SocketLimits};
use endwell_core_tests::io::{feed, written};

use crate::ws_help::{receive, text};

fn served(request: &[u8]) -> Exchange {
    let mut server = ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    assert_eq!(feed(server.io(), request), request.len());
    match server.poll() {
        Next::Request(_, exchange) => exchange,
        other => panic!("no exchange: {other:?}"),
    }
}

fn exchange(extensions: &str) -> Exchange {
    let request = format!(
        "GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{extensions}\r\n"
    );
    served(request.as_bytes())
}

fn acceptance(deflate: Option<Deflate>) -> Acceptance {
    Acceptance::new(SocketLimits::default().into()).deflate(deflate.map(Into::into))
}

/// What a server says of extensions, and whether it compresses then.
fn said(extensions: &str, deflate: Option<Deflate>) -> Result<(Option<String>, bool), NotAHandshake> {
    let mut socket = exchange(extensions).accept(acceptance(deflate), None).map_err(|(reason, _)| reason)?;
    let head = String::from_utf8(written(socket.io())).unwrap();
    let field = head.lines().find_map(|line| line.strip_prefix("sec-websocket-extensions: "));
    Ok((field.map(String::from), socket.deflates()))
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
    assert_eq!(NotAHandshake::Extensions.status().as_u16(), 400);
    assert_eq!(said(malformed, None), Ok((None, false)));
}

fn offer(deflate: Option<Deflate>) -> Offer {
    let offer =
        Offer::new("example.com", "/chat", *b"the sample nonce", SocketLimits::default().into()).unwrap();
    offer.deflate(deflate.map(Into::into))
}

fn asked(deflate: Option<Deflate>) -> Handshake<Socket> {
    let client = ClientConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    client.websocket(offer(deflate), Masks::new(|| [1, 2, 3, 4]))
}

/// A client that offers `deflate`, and is answered with these lines.
fn opened(deflate: Option<Deflate>, extensions: &str) -> Option<(Socket, String)> {
    let mut handshake = asked(deflate);
    let request = String::from_utf8(written(handshake.io())).unwrap();
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{extensions}\r\n"
    );
    feed(handshake.io(), answer.as_bytes());
    match handshake.poll() {
        Opening::Open(_, socket) => Some((socket, request)),
        Opening::Failed(_) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_client_takes_the_answer_or_fails() {
    let agreed = "sec-websocket-extensions: permessage-deflate; client_max_window_bits=10\r\n";
    let (socket, request) = opened(Some(Deflate::default()), agreed).unwrap();
    assert!(socket.deflates());
    let field = "sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n";
    assert!(request.contains(field), "{request}");
    let (socket, _) = opened(Some(Deflate::default()), "").unwrap();
    assert!(!socket.deflates());
    let eight = "sec-websocket-extensions: permessage-deflate; client_max_window_bits=8\r\n";
    let (socket, _) = opened(Some(Deflate::default()), eight).unwrap();
    assert!(!socket.deflates());
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
    let mut handshake = asked(Some(Deflate::default()));
    let exchange = served(&written(handshake.io()));
    let mut theirs = exchange.accept(acceptance(Some(Deflate::default())), None).unwrap();
    feed(handshake.io(), &written(theirs.io()));
    let Opening::Open(_, mut ours) = handshake.poll() else { panic!("an answer") };
    let long = "all work and no play ".repeat(100);
    for _ in 0..3 {
        ours.writer().text(&long).unwrap();
        let bytes = written(ours.io());
        assert!(bytes.len() < 100, "{} bytes", bytes.len());
        feed(theirs.io(), &bytes);
        assert_eq!(receive(&mut theirs), [text(&long)]);
        theirs.writer().text(&long).unwrap();
        let bytes = written(theirs.io());
        assert!(bytes.len() < 100, "{} bytes", bytes.len());
        feed(ours.io(), &bytes);
        assert_eq!(receive(&mut ours), [text(&long)]);
    }
}
