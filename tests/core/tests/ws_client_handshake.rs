//! RFC 6455 4.1: the client's side of the opening handshake.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    clippy::std_instead_of_core,
    reason = "a test may panic, and reads like the wire"
)]

mod ws_help;

use bytes::Bytes;
use endwell_core::http::client::{
    Again, Call, CallEvent, ClientConnection, Failure, GrantHead, Handshake, Opening, Sent,
};
use endwell_core::http::server::{Exchange, Next, ServerConnection};
use endwell_core::http::{Field, FieldSection, HttpLimits, Reading, RequestHead, StatusCode};
use endwell_core::ws::Socket;
use endwell_core::ws::{Acceptance, InvalidSubprotocol, Masks, Offer, SocketLimits, Subprotocol};
use endwell_core::{Arrived, Deadline, Ending, Limit, OutboxLimits, Outcome};
use endwell_core_tests::cutter;
use endwell_core_tests::io::{at, end, feed, look, waits, written};
use ws_help::{Got, frame, receive};

const REQUEST: &str = "GET /chat HTTP/1.1\r\nhost: example.com\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// The example of RFC 6455 1.3.
fn offer() -> Offer {
    Offer::new("example.com", "/chat", *b"the sample nonce", SocketLimits::default().into()).unwrap()
}

fn masks() -> Masks {
    Masks::new(|| ws_help::KEY)
}

fn ask(offer: Offer) -> (Handshake<Socket>, String) {
    asked(offer, Reading::Ordinary)
}

fn asked(offer: Offer, reading: Reading) -> (Handshake<Socket>, String) {
    let mut limits = HttpLimits::default();
    limits.reading = reading;
    let mut handshake =
        ClientConnection::new(limits.into(), OutboxLimits::default()).websocket(offer, masks());
    let request = String::from_utf8(written(handshake.io())).unwrap();
    (handshake, request)
}

/// What comes of these pieces. Those that are left when the answer is decided go where the connection goes.
fn answered(offer: Offer, pieces: &[&[u8]], ends: bool) -> Opening<Socket> {
    opening(ask(offer).0, pieces, ends)
}

fn opening(mut handshake: Handshake<Socket>, pieces: &[&[u8]], ends: bool) -> Opening<Socket> {
    let mut pieces = pieces.iter();
    loop {
        match handshake.poll() {
            Opening::Wait(waiting) => handshake = waiting,
            Opening::Open(head, mut socket) => {
                pieces.for_each(|piece| assert_eq!(feed(socket.io(), piece), piece.len()));
                return Opening::Open(head, socket);
            }
            Opening::Refused(mut call) => {
                pieces.for_each(|piece| assert_eq!(feed(call.io(), piece), piece.len()));
                return Opening::Refused(call);
            }
            failed @ Opening::Failed(_) => return failed,
        }
        if let Some(piece) = pieces.next() {
            assert_eq!(feed(handshake.io(), piece), piece.len());
        } else {
            assert!(ends, "the answer is not whole");
            end(handshake.io());
        }
    }
}

fn open(offer: &Offer, answer: &str) -> Socket {
    match answered(offer.clone(), &[answer.as_bytes()], false) {
        Opening::Open(_, socket) => socket,
        other => panic!("{answer}: {other:?}"),
    }
}

/// The reason, the same under every split.
fn failed(offer: &Offer, answer: &str) -> String {
    let mut reasons =
        cutter::every_way(answer.as_bytes()).map(|pieces| match answered(offer.clone(), &pieces, true) {
            Opening::Failed(failure) => failure.to_string(),
            other => panic!("{answer}: {other:?}"),
        });
    let reason = reasons.next().unwrap();
    reasons.for_each(|other| assert_eq!(other, reason, "{answer}"));
    reason
}

/// The status, the content, and what can follow.
fn heard(mut call: Call<Sent>) -> (StatusCode, Vec<u8>, Again) {
    let mut content = Vec::new();
    let mut status = None;
    loop {
        match call.answer().event().unwrap() {
            CallEvent::Head(head) => assert_eq!(status.replace(head.status()), None),
            CallEvent::Data(data) => content.extend_from_slice(&data),
            CallEvent::End => return (status.unwrap(), content, call.next()),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_request() {
    assert_eq!(ask(offer()).1, REQUEST);
    let more = offer().subprotocol("chat.v2").unwrap().subprotocol("chat").unwrap();
    let (_, request) = ask(more.with(Field::from_static("origin", "http://a")));
    for line in ["sec-websocket-protocol: chat.v2, chat\r\n", "origin: http://a\r\n"] {
        assert_eq!(request.matches(line).count(), 1, "{request}");
    }
    // Another nonce, another key.
    let other = Offer::new("h", "/?a=b", [0xff; 16], SocketLimits::default().into()).unwrap();
    assert!(ask(other).1.contains("sec-websocket-key: /////////////////////w==\r\n"));
}

#[test]
fn what_is_no_offer() {
    assert!(Offer::new("a b", "/", [0; 16], SocketLimits::default().into()).is_err());
    assert!(Offer::new("h", "/ x", [0; 16], SocketLimits::default().into()).is_err());
    for name in ["", "a b", "a,b", "a\r\nb: c"] {
        assert_eq!(offer().subprotocol(name).unwrap_err(), InvalidSubprotocol::Name, "{name:?}");
    }
    let twice = offer().subprotocol("a").unwrap().subprotocol("a");
    assert_eq!(twice.unwrap_err(), InvalidSubprotocol::Repeated);
    assert!(offer().subprotocol("a").unwrap().subprotocol("A").is_ok());
}

/// The first frames may stand in the segment of the 101, cut anywhere.
#[test]
fn opened_with_the_first_frames_behind_it() {
    let bytes = [ANSWER.as_bytes(), &frame(0x81, b"first", None), &frame(0x82, &[1; 300], None)].concat();
    for pieces in cutter::every_way(&bytes) {
        let Opening::Open(head, mut socket) = answered(offer(), &pieces, false) else {
            panic!("split after {}", pieces[0].len())
        };
        assert!(matches!(&head, GrantHead::Switching(head) if head.status() == 101));
        assert_eq!((head.fields().len(), socket.subprotocol()), (3, None));
        assert_eq!(receive(&mut socket), [Got::Text("first".into()), Got::Binary(vec![1; 300])]);
    }
}

#[test]
fn other_forms_of_the_same_answer() {
    for (from, to) in [
        ("Upgrade: websocket", "UPGRADE:  WebSocket "),
        ("Connection: Upgrade", "Connection: keep-alive, upgrade"),
        ("Connection: Upgrade", "Connection: x\r\nConnection: UPGRADE"),
        ("101 Switching Protocols", "101 "),
        ("HTTP/1.1 101", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 101"),
        ("\r\n\r\n", "\r\nSec-WebSocket-Extensions:\r\n\r\n"),
        ("\r\n\r\n", "\r\nContent-Length: 5\r\nSet-Cookie: a\r\n\r\n"),
    ] {
        let _socket = open(&offer(), &ANSWER.replacen(from, to, 1));
    }
}

/// An ordinary reader takes the answer of a sloppy server, with the first frame behind it, and a strict one does not.
#[test]
fn sloppy_forms_of_the_same_answer() {
    for (from, to, why) in [
        ("101 Switching Protocols", "101", "three digits between two spaces"),
        ("Connection: Upgrade", "Connection: keep-alive,\r\n Upgrade", "without white space before its name"),
        ("websocket\r\n", "websocket\n", "CRLF as the line end"),
        ("\r\n\r\n", "\r\n\n", "CRLF as the line end"),
        ("HTTP/1.1 101", "HTTP/1.1 103\r\n\r\nHTTP/1.1 101", "three digits between two spaces"),
    ] {
        let answer = ANSWER.replacen(from, to, 1);
        let bytes = [answer.as_bytes(), &frame(0x81, b"first", None)].concat();
        for pieces in cutter::every_way(&bytes) {
            let Opening::Open(_, mut socket) = answered(offer(), &pieces, false) else { panic!("{answer}") };
            assert_eq!(receive(&mut socket), [Got::Text("first".into())], "{answer}");
            let strictly = opening(asked(offer(), Reading::Strict).0, &pieces, true);
            let Opening::Failed(failure) = strictly else { panic!("{answer}") };
            let reason = failure.to_string();
            assert!(reason.contains(why), "{answer}: {reason}");
        }
    }
}

#[test]
fn a_101_that_does_not_answer_the_handshake_opens_nothing() {
    let (upgrade, connection) = ("`websocket`, and nothing else, in Upgrade", "`upgrade` in Connection");
    let accept = "one Sec-WebSocket-Accept that answers our key";
    let extension = "no extension that was not offered";
    for (from, to, why) in [
        ("HTTP/1.1", "HTTP/1.0", "HTTP/1.1 in a 101"),
        ("Upgrade: websocket\r\n", "", upgrade),
        ("Upgrade: websocket", "Upgrade: h2c", upgrade),
        ("Upgrade: websocket", "Upgrade: websocket, h2c", upgrade),
        ("Upgrade: websocket", "Upgrade: websocket\r\nUpgrade: websocket", upgrade),
        ("Connection: Upgrade\r\n", "", connection),
        ("Connection: Upgrade", "Connection: keep-alive", connection),
        ("s3pP", "s3pp", accept),
        ("xOo=", "xOo", accept),
        ("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", "", accept),
        ("\r\n\r\n", "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", accept),
        ("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", extension),
        ("\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat\r\n\r\n", "one of the subprotocols that were offered"),
        ("\r\n\r\n", "\r\na : b\r\n\r\n", "a token directly followed by a colon"),
    ] {
        let reason = failed(&offer(), &ANSWER.replacen(from, to, 1));
        assert!(reason.contains(why), "{to:?}: {reason}");
    }
}

#[test]
fn the_subprotocol_is_one_of_those_offered_or_none() {
    let offer = offer().subprotocol("chat.v2").unwrap().subprotocol("chat").unwrap();
    let answer = |lines: &str| ANSWER.replacen("\r\n\r\n", &format!("\r\n{lines}\r\n"), 1);
    for (lines, chosen) in [
        ("", None),
        ("Sec-WebSocket-Protocol: chat\r\n", Some("chat")),
        ("sec-websocket-protocol: chat.v2 \r\n", Some("chat.v2")),
    ] {
        assert_eq!(open(&offer, &answer(lines)).subprotocol(), chosen, "{lines}");
    }
    for lines in [
        "Sec-WebSocket-Protocol: other\r\n",
        "Sec-WebSocket-Protocol: Chat\r\n",
        "Sec-WebSocket-Protocol:\r\n",
        "Sec-WebSocket-Protocol: chat, chat.v2\r\n",
        "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n",
    ] {
        let reason = failed(&offer, &answer(lines));
        assert!(reason.contains("one of the subprotocols that were offered"), "{lines}: {reason}");
    }
}

/// What is no 101 is a response: its head and its body are handed out, and the connection can be used again.
#[test]
fn refusals_and_redirects_are_responses() {
    for (status, field, kept) in [
        (401, "WWW-Authenticate: Basic", true),
        (302, "Location: wss://other/", true),
        (426, "Sec-WebSocket-Version: 14", true),
        (503, "Connection: close", false),
        (200, "X: y", true),
    ] {
        let answer = format!("HTTP/1.1 {status} x\r\n{field}\r\nContent-Length: 4\r\n\r\nsays");
        for pieces in cutter::every_way(answer.as_bytes()) {
            let Opening::Refused(call) = answered(offer(), &pieces, false) else {
                panic!("{status} opens nothing")
            };
            let (name, value) = field.split_once(": ").unwrap();
            assert_eq!(call.head().unwrap().fields().get_str(name), Some(value));
            let (code, content, again) = heard(call);
            assert_eq!((code.as_u16(), &content[..]), (status, &b"says"[..]));
            assert_eq!(matches!(again, Again::Client(_)), kept, "{status}: {again:?}");
        }
    }
}

/// The second handshake goes over the connection of the first, with credentials.
#[test]
fn a_refused_handshake_can_be_repeated() {
    let answer = b"HTTP/1.1 401 x\r\nContent-Length: 0\r\n\r\n";
    let Opening::Refused(call) = answered(offer(), &[answer], false) else { panic!() };
    let (_, content, Again::Client(client)) = heard(call) else { panic!("it is kept") };
    assert!(content.is_empty());
    let again = offer().with(Field::from_static("authorization", "Basic x"));
    let mut handshake = client.websocket(again, masks());
    assert!(String::from_utf8(written(handshake.io())).unwrap().contains("authorization: Basic x\r\n"));
    feed(handshake.io(), ANSWER.as_bytes());
    assert!(matches!(handshake.poll(), Opening::Open(..)));
}

#[test]
fn no_answer() {
    assert_eq!(failed(&offer(), ""), Failure::Unanswered.to_string());
    for answer in ["H", &ANSWER[..40], &ANSWER[..ANSWER.len() - 1]] {
        assert!(failed(&offer(), answer).contains("a whole head before the end"), "{answer}");
    }
    let two = "HTTP/1.1 400 x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n";
    assert!(failed(&offer(), two).contains("one Content-Length"));
}

#[test]
fn the_answer_must_come_in_time() {
    // While the request is on its way, the server cannot answer.
    let mut handshake = ClientConnection::new(HttpLimits::default().into(), OutboxLimits::default())
        .websocket(offer(), masks());
    assert_eq!(waits(handshake.io(), 1 << 40), None);
    let (mut handshake, _) = ask(offer());
    // The system is asked after an eighth of the time.
    let sent = 1 << 40;
    let first = waits(handshake.io().unacknowledged(&|| unreachable!("too early")), sent).unwrap();
    assert_eq!(first, Deadline { at: at(sent + 7500), reason: Limit::ResponseTime });
    let arrived = sent + 7500;
    assert_eq!(waits(handshake.io().unacknowledged(&|| Some(1)), arrived).unwrap().at, at(arrived + 7500));
    let (mut other, _) = ask(offer());
    for millis in [arrived, arrived + 59_999, arrived + 60_000] {
        if millis == arrived + 60_000 {
            assert_eq!(look(handshake.io(), millis), Arrived::Something);
            let Opening::Failed(Failure::Error(error)) = handshake.poll() else { panic!("it is late") };
            assert!(error.to_string().contains("60"), "{error}");
            break;
        }
        assert_eq!(waits(handshake.io(), millis).unwrap().reason, Limit::ResponseTime);
        assert!(handshake.is_untouched());
        let Opening::Wait(waiting) = handshake.poll() else { panic!("too early") };
        handshake = waiting;
    }
    // Another time, and none.
    other.set_response_time(Some(core::time::Duration::from_secs(5)));
    assert_eq!(waits(other.io(), 0).unwrap().at, at(5000));
    other.set_response_time(None);
    assert_eq!(waits(other.io(), 1 << 40), None);
    // And whoever does not want to wait gives it up.
    let closing = other.abort();
    assert!(matches!(closing.poll(), Ending::Reset(Outcome::Aborted)));
}

fn asks(request: &str) -> (RequestHead, Exchange) {
    let mut server = ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    feed(server.io(), request.as_bytes());
    let Next::Request(head, exchange) = server.poll() else { panic!("no exchange") };
    (head, exchange)
}

/// Our server accepts it, and both can speak.
#[test]
fn both_cores() {
    let (mut handshake, request) = ask(offer().subprotocol("chat").unwrap());
    let (head, exchange) = asks(&request);
    let acceptance = Acceptance::new(SocketLimits::default().into())
        .subprotocol(Subprotocol::offered(&head).next().unwrap())
        .fields(FieldSection::new().with(Field::from_static("set-cookie", "a")));
    let mut theirs = exchange.accept(acceptance, None).unwrap();
    theirs.writer().text("welcome").unwrap();

    feed(handshake.io(), &written(theirs.io()));
    let Opening::Open(head, mut ours) = handshake.poll() else { panic!("not open") };
    assert_eq!(head.fields().get_str("set-cookie"), Some("a"));
    assert_eq!((ours.subprotocol(), theirs.subprotocol()), (Some("chat"), Some("chat")));
    assert_eq!(receive(&mut ours), [Got::Text("welcome".into())]);
    ours.writer().text("hello").unwrap();
    let sent = written(ours.io());
    assert_eq!(sent, frame(0x81, b"hello", Some(ws_help::KEY)));
    feed(theirs.io(), &sent);
    assert_eq!(receive(&mut theirs), [Got::Text("hello".into())]);
    // From here on the limit on what is received is that of the WebSocket.
    assert_eq!(
        feed(ours.io(), &frame(0x82, &vec![0; 1 << 20], None)),
        SocketLimits::default().received_bytes
    );
}

/// Our server refuses it, and the client hears why.
#[test]
fn both_cores_and_a_refusal() {
    let (mut handshake, request) = ask(offer().with(Field::from_static("origin", "http://evil.org")));
    let (_, exchange) = asks(&request);
    let (reason, exchange) =
        exchange.accept(Acceptance::new(SocketLimits::default().into()), None).unwrap_err();
    let mut answered = exchange.respond(&reason.head(), Bytes::from("no"), None);
    feed(handshake.io(), &written(answered.io()));
    let Opening::Refused(call) = handshake.poll() else { panic!("not refused") };
    let (status, content, again) = heard(call);
    assert_eq!((status, &content[..]), (StatusCode::FORBIDDEN, &b"no"[..]));
    assert!(matches!(again, Again::Client(_)), "{again:?}");
}
