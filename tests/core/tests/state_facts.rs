//! What a state tells of itself, and what can be set for one connection alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic, and reads like the wire"
)]

use core::convert::Infallible;
use core::time::Duration;

use bytes::{Bytes, BytesMut};
use endwell_core::http::client::{Call, CallEvent, ClientConnection, Sent};
use endwell_core::http::server::{After, Exchange, Next, ServerConnection};
use endwell_core::http::{
    BodyEvent, FieldSection, Framing, HttpLimits, Method, Request, Response, StatusCode,
};
use endwell_core::ws::{self, Close, Jitter, Kind, Role};
use endwell_core::ws::{Piece, Socket};
use endwell_core::{
    Arrived, Closing, Deadline, End, Ending, Io, Limit, OutboxLimits, Outcome, Pace, Upgraded, Wrote,
};
use endwell_core_tests::io::{at, end, feed, feed_at, look, take, waits, written};

const SECOND: Pace = Pace::silence(Duration::from_secs(1));

fn exchange(request: &[u8]) -> Exchange {
    let mut server = ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    feed(server.io(), request);
    let Next::Request(_, exchange) = server.poll() else { panic!("a request") };
    exchange
}

fn call(method: Method<'_>) -> Call<Sent> {
    let client = ClientConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    let mut call = client.send(&Request::new(method, "h", "/").unwrap(), Bytes::new());
    take(call.io(), usize::MAX);
    call
}

fn socket(received: &'static [u8]) -> Socket {
    let (limits, received) = (ws::SocketLimits::default().into(), Bytes::from_static(received));
    Socket::from_parts(Role::Server, received, limits, OutboxLimits::default(), Jitter(0), None)
}

fn upgraded(output: OutboxLimits) -> Upgraded {
    let mut server = ServerConnection::new(HttpLimits::default().into(), output);
    feed(server.io(), b"GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n");
    let Next::Request(_, exchange) = server.poll() else { panic!("a request") };
    let Ok(mut upgraded) = exchange.switch("echo", &FieldSection::new(), None) else { panic!("offered") };
    assert!(written(upgraded.io()).starts_with(b"HTTP/1.1 101 "));
    upgraded
}

/// The write side ends, and then the peer closes.
fn closes(closing: Closing) -> Outcome {
    let Ending::EndWrite(mut closing) = closing.poll() else { panic!("all is written") };
    end(closing.io());
    let Ending::Done(ended) = closing.poll() else { panic!("both have closed") };
    ended
}

/// A write that takes nothing.
fn blocks(mut io: Io<'_>, millis: u64) -> Wrote {
    let Ok(wrote) = io.write(at(millis), |_| Ok::<_, Infallible>(None));
    wrote
}

#[test]
fn how_much_of_a_body_is_to_come() {
    let post = b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhel";
    let mut exchange = exchange(post);
    assert_eq!((exchange.body().remaining(), exchange.body().is_done()), (Some(5), false));
    assert!(matches!(exchange.body().event(), Some(BodyEvent::Data(_))));
    assert_eq!((exchange.body().remaining(), exchange.body().ready()), (Some(2), false));
    feed(exchange.io(), b"lo");
    assert!(exchange.body().ready() && !exchange.body().is_done());
    assert!(matches!(exchange.body().event(), Some(BodyEvent::Data(_))));
    assert_eq!((exchange.body().remaining(), exchange.body().is_done()), (Some(0), true));

    let mut known = call(Method::Get);
    assert_eq!((known.head().is_some(), known.announced(), known.answer().remaining()), (false, None, None));
    feed(known.io(), b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no");
    assert!(matches!(known.answer().event(), Some(CallEvent::Head(_))));
    assert_eq!(
        (known.head().is_some(), known.announced(), known.answer().remaining()),
        (true, Some(2), Some(2))
    );
    assert!(matches!(known.answer().event(), Some(CallEvent::Data(_))));
    assert_eq!(
        (known.announced(), known.answer().remaining(), known.answer().is_done()),
        (Some(2), Some(1), false)
    );
    feed(known.io(), b"k");
    assert!(matches!(known.answer().event(), Some(CallEvent::Data(_))));
    assert!(known.answer().is_done() && !known.is_until_close() && !known.is_last());

    // A response to HEAD announces what it does not have, and that of an old server ends with the stream.
    let mut none = call(Method::Head);
    feed(none.io(), b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n");
    assert!(matches!(none.answer().event(), Some(CallEvent::Head(_))));
    assert_eq!(
        (none.announced(), none.answer().remaining(), none.answer().is_done()),
        (Some(2), Some(0), true)
    );
    let mut old = call(Method::Get);
    feed(old.io(), b"HTTP/1.0 200 OK\r\n\r\nhi");
    assert!(matches!(old.answer().event(), Some(CallEvent::Head(_))));
    assert_eq!((old.announced(), old.answer().remaining()), (None, None));
    assert!(old.is_until_close() && old.is_last());
}

/// One endpoint may take slow uploads, and one download may be slow.
#[test]
fn a_pace_is_set_for_one_body_alone() {
    let ends = |millis, reason| Some(Deadline { at: at(millis), reason });
    let mut exchange = exchange(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\n");
    assert_eq!(waits(exchange.io(), 0), ends(30_000, Limit::BodyProgress));
    exchange.set_body_pace(SECOND);
    assert_eq!(waits(exchange.io(), 0), ends(1000, Limit::BodyProgress));
    assert_eq!(look(exchange.io(), 1000), Arrived::Something);
    assert!(matches!(exchange.body().event(), Some(BodyEvent::Failed(_))));

    let mut call = call(Method::Get);
    feed(call.io(), b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n");
    assert!(matches!(call.answer().event(), Some(CallEvent::Head(_))));
    call.set_body_pace(SECOND);
    assert_eq!(waits(call.io(), 0), ends(1000, Limit::BodyProgress));
    call.set_body_pace(Pace::UNLIMITED);
    assert_eq!(waits(call.io(), 1 << 40), None);

    let mut socket = socket(b"\x01\x80\0\0\0\0");
    assert!(socket.event().is_none());
    socket.set_message_pace(SECOND);
    assert_eq!(waits(socket.io(), 0), ends(1000, Limit::MessageProgress));
    assert_eq!(look(socket.io(), 1000), Arrived::Something);
    assert!(matches!(socket.event(), Some(ws::Event::Failed(_))));
}

#[test]
fn a_pace_is_set_for_one_output_alone() {
    // The pace of the limits is 60 s of silence.
    for (paces, seconds) in [(&[Some(SECOND)][..], 1), (&[], 60), (&[Some(SECOND), None], 60)] {
        let mut socket = socket(b"");
        for pace in paces {
            socket.io().set_output_pace(*pace);
        }
        socket.writer().text("hello").unwrap();
        for second in 0..seconds {
            assert!(matches!(blocks(socket.io(), second * 1000), Wrote::Blocked(Some(_))), "{second}");
        }
        let Wrote::Stalled(exceeded) = blocks(socket.io(), seconds * 1000) else { panic!("{seconds}") };
        assert_eq!(exceeded.limit, Limit::WriteProgress);
    }
}

#[test]
fn a_server_is_idle_until_a_request_begins() {
    for (received, is_idle) in [(&b""[..], true), (b"\r\n", true), (b"\r\n\r", true), (b"\r\nG", false)] {
        let mut server = ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default());
        feed(server.io(), received);
        assert_eq!(server.is_idle(), is_idle, "{}", received.escape_ascii());
        let Next::Wait(server) = server.poll() else { panic!("nothing is whole") };
        assert_eq!(server.is_idle(), is_idle, "{}", received.escape_ascii());
        assert_eq!(closes(server.close()), Outcome::ByUs);
    }
}

#[test]
fn a_request_that_is_abandoned_gets_no_response() {
    let mut exchange = exchange(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    assert!(written(exchange.io()).is_empty());
    assert_eq!(closes(exchange.abandon()), Outcome::Aborted);
    assert!(matches!(call(Method::Get).abort().poll(), Ending::Reset(Outcome::Aborted)));
}

/// What is read can be written while it is borrowed.
#[test]
fn both_bodies_are_lent_at_once() {
    let post = b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello";
    let mut writing = exchange(post).start(&Response::new(StatusCode::OK), Framing::Length(5), None);
    let (body, mut writer) = writing.split();
    let Some(BodyEvent::Data(data)) = body.event() else { panic!("content") };
    assert_eq!(writer.copy(&data), 5);
    let Ok(answered) = writing.finish(None) else { panic!("it is whole") };
    let After::Again(mut server) = answered.next() else { panic!("it is kept") };
    assert!(written(server.io()).ends_with(b"\r\n\r\nhello"));

    let client = ClientConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    let mut call = client.start(&Request::new(Method::Post, "h", "/").unwrap(), Framing::Chunked);
    feed(call.io(), b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    assert!(matches!(call.answer().event(), Some(CallEvent::Head(_))));
    let (answer, mut writer) = call.split();
    let Some(CallEvent::Data(data)) = answer.event() else { panic!("content") };
    assert_eq!(writer.copy(&data), 2);
    assert!(written(call.io()).ends_with(b"\r\n\r\n2\r\nok\r\n"));

    let mut within = socket(b"\x82\x82\0\0\0\0ok").begin(Kind::Binary);
    assert_eq!(within.writer().kind(), Kind::Binary);
    assert!(matches!(within.split_piece().0, Some(Piece::Start(Kind::Binary))));
    let (Some(Piece::Binary(data)), mut writer) = within.split_piece() else { panic!("a piece") };
    writer.write(Bytes::copy_from_slice(&data)).unwrap();
    assert!(matches!(within.piece(), Some(Piece::End)));
    assert_eq!(written(within.io()), b"\x02\x02ok");
}

/// After our Close, as before it, messages may come in pieces.
#[test]
fn pieces_are_received_after_our_close() {
    let mut receiving = socket(b"\x01\x82\0\0\0\0on\x89\x80\0\0\0\0\x80\x80\0\0\0\0\x88\x82\0\0\0\0\x03\xe8")
        .close_writing(Close::EMPTY);
    assert!(receiving.ready_piece());
    assert!(matches!(receiving.piece(), Some(Piece::Start(Kind::Text))));
    assert!(matches!(receiving.piece(), Some(Piece::Text(text)) if &*text == "on"));
    assert!(matches!(receiving.piece(), Some(Piece::Ping(_))));
    assert!(matches!(receiving.piece(), Some(Piece::End)));
    for _ in 0..2 {
        assert!(receiving.ready_piece() && matches!(receiving.piece(), Some(Piece::Close(_))));
    }
    assert_eq!(written(receiving.io()), b"\x88\0");
    assert!(matches!(closes(receiving.discard()), Outcome::Closed { first: End::Ours, .. }));
}

#[test]
fn another_protocol_has_room_and_an_end() {
    let mut upgraded = upgraded(OutboxLimits { bytes: 1000, ..OutboxLimits::default() });
    assert_eq!((upgraded.room(), upgraded.received().is_none()), (1000, true));
    let large = Bytes::from(vec![1; 1001]);
    assert_eq!(upgraded.write(large.clone()), Err(large));
    upgraded.write(vec![1; 990].into()).unwrap();
    assert_eq!(upgraded.room(), 10);
    feed(upgraded.io(), b"last");
    end(upgraded.io());
    assert!(upgraded.io().has_ended() && !upgraded.has_ended(), "bytes are there");
    assert_eq!(upgraded.received().unwrap().take(), b"last"[..]);
    assert!(upgraded.has_ended() && upgraded.received().is_none());
    // The peer has ended its stream: nothing is waited for but that the rest goes out.
    let Ending::Wait(mut closing) = upgraded.close().poll() else { panic!("990 bytes are queued") };
    assert_eq!(written(closing.io()), [1; 990]);
    assert!(matches!(closing.poll(), Ending::Done(Outcome::ByUs)));
    assert_eq!(closes(self::upgraded(OutboxLimits::default()).close()), Outcome::ByUs);
}

/// A buffer that is lent for a read is there again when the connection waits.
#[test]
fn memory_is_lent_and_given_back() {
    let mut socket = socket(b"");
    assert!(!socket.io().has_room());
    socket.io().lend(BytesMut::zeroed(8192)).unwrap();
    assert!(socket.io().has_room());
    let second = socket.io().lend(BytesMut::zeroed(10)).unwrap_err();
    assert_eq!(second.len(), 10);
    feed_at(socket.io(), 0, b"\x81\x85\0\0");
    assert_eq!(socket.io().reclaim().unwrap().len(), 8192);
    assert_eq!((socket.io().unread(), socket.io().has_room()), (4, false));
    assert!(socket.io().reclaim().is_none());

    socket.io().lend_output(Vec::with_capacity(4096)).unwrap();
    assert!(socket.io().lend_output(Vec::with_capacity(1)).is_err());
    socket.writer().text("hello").unwrap();
    assert_eq!(socket.io().reclaim_output().unwrap().capacity(), 4096);
    assert_eq!((socket.io().queued(), socket.io().sent()), (7, 0));
    assert_eq!(written(socket.io()), b"\x81\x05hello");
    assert_eq!((socket.io().queued(), socket.io().sent()), (0, 7));
    // What was unread is a part of what comes.
    feed(socket.io(), b"\0\0hello");
    assert!(matches!(socket.event(), Some(ws::Event::Text(text)) if &*text == "hello"));
}

/// What could be read of a refused request, and what is written, are the same under every split of its bytes.
#[test]
fn what_is_known_of_a_refused_request() {
    let long = format!("GET /long HTTP/1.1\r\na: {}\r\n", "a".repeat(40_000));
    for (request, line, field) in [
        ("GET /a?b HTTP/1.1\r\nhost: h\r\nexpect: x\r\n\r\n", Some("GET /a?b HTTP/1.1"), Some("h")),
        ("GET /a HTTP/1.1\r\nhost: h\r\nno colon\r\n\r\n", Some("GET /a HTTP/1.1"), None),
        ("\r\nPURGE /a HTTP/1.0\r\nhost: h\n", Some("PURGE /a HTTP/1.0"), None),
        ("HEAD /a HTTP/1.1\r\nno colon\r\n\r\n", Some("HEAD /a HTTP/1.1"), None),
        (&long, Some("GET /long HTTP/1.1"), None),
        ("GET / HTTP/3.0\r\n", None, None),
        ("nonsense\r\n", None, None),
    ] {
        for bytewise in [false, true] {
            let mut server = ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default());
            let mut pieces = request.as_bytes().chunks(if bytewise { 1 } else { request.len() });
            let refusal = loop {
                match server.poll() {
                    Next::Wait(waiting) => server = waiting,
                    Next::Refused(refusal) => break refusal,
                    other @ (Next::Request(..) | Next::Closing(_)) => panic!("{other:?}"),
                }
                feed(server.io(), pieces.next().expect("a refusal"));
            };
            let head = refusal.head();
            let read = head
                .as_ref()
                .map(|head| format!("{} {} {}", head.method(), head.target_str(), head.version()));
            assert_eq!(read.as_deref(), line, "{bytewise}");
            assert_eq!(head.as_ref().and_then(|head| head.fields().get_str("host")), field, "{request}");
            let length = refusal.content_length();
            let response = written(refusal.answer(None).io());
            let head = response.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
            assert_eq!(response.len() - head - 4, length, "{request}");
        }
    }
}

#[test]
fn the_status_and_the_content_of_a_response_are_known_before() {
    let ok = Response::new(StatusCode::OK);
    for (request, status, has_content) in [
        (&b"GET / HTTP/1.1\r\nhost: h\r\n\r\n"[..], 200, true),
        (b"HEAD / HTTP/1.1\r\nhost: h\r\n\r\n", 200, false),
        (b"CONNECT h:1 HTTP/1.1\r\nhost: h:1\r\n\r\n", 501, false),
    ] {
        let exchange = exchange(request);
        assert_eq!(exchange.status_of(&ok).as_u16(), status);
        assert_eq!(exchange.has_response_content(&ok), has_content);
        let response = written(exchange.respond(&ok, Bytes::from_static(b"hello"), None).io());
        assert!(response.starts_with(format!("HTTP/1.1 {status} ").as_bytes()));
        assert_eq!(response.ends_with(b"hello"), has_content);
    }
    let empty = exchange(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    assert!(!empty.has_response_content(&Response::new(StatusCode::NO_CONTENT)));
}

/// Read or discarded, and without the framing of chunks.
#[test]
fn how_much_of_a_body_was_received() {
    let head = "POST / HTTP/1.1\r\nhost: h\r\n";
    for request in [
        format!("{head}content-length: 8\r\n\r\nabcde"),
        format!("{head}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n5\r\nde"),
    ] {
        let mut exchange = exchange(request.as_bytes());
        assert_eq!(exchange.body().received(), 0);
        let Some(BodyEvent::Data(data)) = exchange.body().event() else { panic!("data") };
        let first = u64::try_from(data.take().len()).unwrap();
        assert!(first >= 3);
        assert_eq!(exchange.body().received(), first);
        let mut answered = exchange.respond(&Response::new(StatusCode::OK), Bytes::new(), None);
        assert_eq!(answered.body().received(), 5);
    }
}
