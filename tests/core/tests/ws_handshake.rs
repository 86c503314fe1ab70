//! RFC 6455 4.2: the server's side of the opening handshake.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    clippy::std_instead_of_core,
    clippy::decimal_bitwise_operands,
    reason = "a test may panic, and reads like the wire"
)]

mod ws_help;

use bytes::Bytes;
use endwell_core::OutboxLimits;
use endwell_core::http::server::{Exchange, Next, ServerConnection};
use endwell_core::http::{Field, FieldSection, HttpLimits, RequestHead};
use endwell_core::ws::{Acceptance, NotAHandshake, Origins, SocketLimits, Subprotocol};
use endwell_core_tests::io::{feed, written};
use ws_help::{Got, masked, receive, text};

const HANDSHAKE: &str = "GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

fn server() -> ServerConnection {
    ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default())
}

fn exchange(bytes: &[u8]) -> (RequestHead, Exchange) {
    let mut server = server();
    assert_eq!(feed(server.io(), bytes), bytes.len());
    match server.poll() {
        Next::Request(head, exchange) => (head, exchange),
        other => panic!("no exchange: {other:?}"),
    }
}

fn acceptance() -> Acceptance {
    Acceptance::new(SocketLimits::default().into())
}

fn reason(request: &str, acceptance: Acceptance) -> Option<NotAHandshake> {
    let (head, exchange) = exchange(request.as_bytes());
    let elsewhere = acceptance.clone().accept_upgrade(&same(&head), OutboxLimits::default());
    let reason = reason_here(exchange, acceptance);
    assert_eq!(elsewhere.err(), reason, "a request that another library received is judged alike");
    reason
}

/// The head as another library hands it over.
fn same(head: &RequestHead) -> RequestHead {
    RequestHead::from_parts(head.method(), head.target_str(), head.version(), head.fields().iter()).unwrap()
}

fn reason_here(exchange: Exchange, acceptance: Acceptance) -> Option<NotAHandshake> {
    match exchange.accept(acceptance, None) {
        Ok(_) => None,
        Err((reason, mut exchange)) => {
            assert_eq!(exchange.io().queued(), 0, "a refusal is the application's to write");
            let mut answered = exchange.respond(&reason.head(), Bytes::new(), None);
            let answer = String::from_utf8(written(answered.io())).unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {} ", reason.status().as_u16())), "{answer}");
            let offers = "connection: upgrade\r\nupgrade: websocket\r\n";
            let is_426 = reason.status().as_u16() == 426;
            assert_eq!(answer.contains(offers), is_426, "{answer}");
            assert_eq!(answer.contains("sec-websocket-version: 13\r\n"), is_426, "{answer}");
            assert_eq!(answer.contains("allow: GET\r\n"), reason.status().as_u16() == 405, "{answer}");
            Some(reason)
        }
    }
}

/// 4.2.2 and S3: the whole 101, and the frames in the same segment, cut anywhere.
#[test]
fn accepted_with_the_first_frames_behind_it() {
    let bytes = [HANDSHAKE.as_bytes(), &masked(0x81, b"first"), &masked(0x82, &[1; 300])].concat();
    for cut in 0..bytes.len() {
        let mut server = server();
        feed(server.io(), &bytes[..cut]);
        let (exchange, rest) = match server.poll() {
            Next::Request(_, exchange) => (exchange, &bytes[cut..]),
            Next::Wait(mut server) => {
                feed(server.io(), &bytes[cut..]);
                let Next::Request(_, exchange) = server.poll() else { panic!("a request") };
                (exchange, &[][..])
            }
            other => panic!("{other:?}"),
        };
        let mut socket = exchange.accept(acceptance(), None).unwrap();
        let expected = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
            sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        assert_eq!(String::from_utf8(written(socket.io())).unwrap(), expected);
        feed(socket.io(), rest);
        assert_eq!(receive(&mut socket), [text("first"), Got::Binary(vec![1; 300])]);
    }
}

/// From here on the limits are those of the WebSocket, on what is received and on what is queued.
#[test]
fn the_limits_of_the_socket_are_in_force() {
    let mut http = HttpLimits::default();
    http.received_bytes = 1000;
    let output = OutboxLimits { bytes: 500, ..OutboxLimits::default() };
    let mut server = ServerConnection::new(http.into(), output);
    feed(server.io(), HANDSHAKE.as_bytes());
    let Next::Request(_, exchange) = server.poll() else { panic!("a request") };
    let mut limits = SocketLimits::default();
    limits.received_bytes = 3000;
    let mut socket = exchange.accept(Acceptance::new(limits.into()), None).unwrap();
    assert_eq!(feed(socket.io(), &[0; 10_000]), 3000);
    assert!(!socket.writer().fits(500) && socket.writer().fits(300), "the 101 is queued");
}

/// 4.2.1: every part of a handshake, missing or wrong.
#[test]
fn what_is_no_handshake() {
    let with = |from: &str, to: &str| reason(&HANDSHAKE.replace(from, to), acceptance());
    assert_eq!(with("GET", "POST"), Some(NotAHandshake::Method));
    assert_eq!(with("GET", "HEAD"), Some(NotAHandshake::Method));
    assert_eq!(with("HTTP/1.1", "HTTP/1.0"), Some(NotAHandshake::HttpVersion));
    assert_eq!(with("Upgrade: websocket\r\n", ""), Some(NotAHandshake::NotAsked));
    assert_eq!(with("Upgrade: websocket", "Upgrade: h2c"), Some(NotAHandshake::NotAsked));
    // Without the field it is no different, and 426 would promise that a POST can be upgraded.
    for (line, reason) in [
        ("GET", NotAHandshake::NotAsked),
        ("POST", NotAHandshake::Method),
        ("HEAD", NotAHandshake::Method),
        ("WEBSOCKET", NotAHandshake::Method),
    ] {
        let request = format!("{line} /chat HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(self::reason(&request, acceptance()), Some(reason), "{line}");
    }
    let old = "GET /chat HTTP/1.0\r\nHost: h\r\n\r\n";
    assert_eq!(reason(old, acceptance()), Some(NotAHandshake::HttpVersion));
    assert_eq!(with("Connection: Upgrade\r\n", ""), Some(NotAHandshake::Connection));
    assert_eq!(with("Connection: Upgrade", "Connection: keep-alive"), Some(NotAHandshake::Connection));
    for version in ["12", "8", "0", "013", "13, 8", "", "+13"] {
        let changed = with("Version: 13", &format!("Version: {version}"));
        assert_eq!(changed, Some(NotAHandshake::Version), "{version}");
    }
    assert_eq!(with("Sec-WebSocket-Version: 13\r\n", ""), Some(NotAHandshake::Version));
    assert_eq!(with("\r\n\r\n", "\r\nSec-WebSocket-Version: 13\r\n\r\n"), Some(NotAHandshake::Version));
    for key in ["", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ==x", "AAAA", "dGhlIHNhbXBsZSBub25jZTEy"]
    {
        assert_eq!(with("dGhlIHNhbXBsZSBub25jZQ==", key), Some(NotAHandshake::Key), "{key}");
    }
    assert_eq!(with("\r\n\r\n", "\r\nSec-WebSocket-Key: x\r\n\r\n"), Some(NotAHandshake::Key));
    assert_eq!(with("\r\n\r\n", "\r\nContent-Length: 1\r\n\r\nx"), Some(NotAHandshake::Content));
    assert_eq!(with("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n"), Some(NotAHandshake::Content));
    let protocols = "\r\nSec-WebSocket-Protocol: a, b c\r\n\r\n";
    assert_eq!(with("\r\n\r\n", protocols), Some(NotAHandshake::Subprotocols));
}

/// 4.2.1: lists, and case, and a length of zero.
#[test]
fn what_is_one_all_the_same() {
    let with = |from: &str, to: &str| reason(&HANDSHAKE.replace(from, to), acceptance());
    assert_eq!(with("x", "x"), None);
    assert_eq!(with("Upgrade: websocket", "UPGRADE: h2c, WebSocket"), None);
    assert_eq!(with("Connection: Upgrade", "connection: keep-alive, UPGRADE"), None);
    assert_eq!(with("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n"), None);
    assert_eq!(with("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"), None);
}

/// 1.9 and 4.2.2: the application chooses from what was offered, and nothing else can be chosen.
#[test]
fn subprotocols() {
    let offering = "\r\nSec-WebSocket-Protocol: chat.v1, chat.v2\r\nSec-WebSocket-Protocol: raw\r\n\r\n";
    let request = HANDSHAKE.replace("\r\n\r\n", offering);
    let (head, offers) = exchange(request.as_bytes());
    let names: Vec<_> = Subprotocol::offered(&head).map(|offered| offered.as_str().to_owned()).collect();
    assert_eq!(names, ["chat.v1", "chat.v2", "raw"]);
    let chosen = Subprotocol::offered(&head).nth(1).unwrap();
    let fields = FieldSection::new().with(Field::from_static("set-cookie", "a=b"));
    let acceptance = acceptance().subprotocol(chosen.clone()).fields(fields);
    let mut socket = offers.accept(acceptance.clone(), None).unwrap();
    assert_eq!(socket.subprotocol(), Some("chat.v2"));
    let answer = String::from_utf8(written(socket.io())).unwrap();
    assert!(answer.ends_with("\r\nsec-websocket-protocol: chat.v2\r\nset-cookie: a=b\r\n\r\n"), "{answer}");
    assert_eq!(reason(HANDSHAKE, acceptance), Some(NotAHandshake::SubprotocolNotOffered));
}

/// The choice does not borrow the request, and no field borrows the name that it was asked for by.
#[test]
fn what_was_chosen_outlives_what_it_was_looked_up_by() {
    let offering = "\r\nSec-WebSocket-Protocol: chat.v1, chat.v2\r\n\r\n";
    let (head, offers) = exchange(HANDSHAKE.replace("\r\n\r\n", offering).as_bytes());
    let value = {
        let name = "Sec-WebSocket-Protocol".to_lowercase();
        (head.fields().get_all(&name).next(), head.fields().list(&name).last())
    };
    assert_eq!(value, (Some(&b"chat.v1, chat.v2"[..]), Some(&b"chat.v2"[..])));
    if let Some(chosen) = Subprotocol::offered(&head).find(|name| name.as_str() == "chat.v2") {
        let socket = offers.accept(acceptance().subprotocol(chosen), None).unwrap();
        assert_eq!(socket.subprotocol(), Some("chat.v2"));
    } else {
        panic!("expected chat.v2 to be offered");
    }
}

/// S39: a page of another site is refused by default; the same site and no page pass.
#[test]
fn origins() {
    let from = |origin: &str, origins: Origins| {
        reason(
            &HANDSHAKE.replace("\r\n\r\n", &format!("\r\nOrigin: {origin}\r\n\r\n")),
            acceptance().origins(origins),
        )
    };
    let list = || Origins::List(vec!["https://app.example.org".into(), "null".into()]);
    let refused = Some(NotAHandshake::Origin);
    for (origin, same, listed) in [
        ("http://example.com", true, false),
        ("https://example.com", true, false),
        ("https://EXAMPLE.com", true, false),
        ("https://evil.org", false, false),
        ("https://app.example.org", false, true),
        ("https://app.example.org:8443", false, false),
        ("null", false, true),
        ("", false, false),
        ("http://example.com\r\nOrigin: http://example.com", false, false),
    ] {
        assert_eq!(from(origin, Origins::Same), if same { None } else { refused }, "{origin:?}");
        assert_eq!(from(origin, list()), if listed { None } else { refused }, "{origin:?}");
        assert_eq!(from(origin, Origins::Any), None);
    }
    for origins in [Origins::Same, list(), Origins::Any] {
        assert_eq!(reason(HANDSHAKE, acceptance().origins(origins)), None);
    }
}
