//! What a driver does wrong or in an odd order harms neither the peer nor the connection, and does not go on for ever.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic, and reads like the wire"
)]

use core::convert::Infallible;
use core::time::Duration;

use bytes::{Bytes, BytesMut};
use endwell_core::http::client::{Again, CallEvent, ClientConnection, Failure, Opening};
use endwell_core::http::server::{Next, ServerConnection};
use endwell_core::http::{FieldSection, Framing, HttpLimits, Method, Request, Response, StatusCode, Upgrade};
use endwell_core::ws::{self, Close, Jitter, Role, Socket};
use endwell_core::{Arrived, Ending, Limit, Look, OutboxLimits};
use endwell_core_tests::io::{at, cut, end, feed, feed_at, look, waits, written};

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n";

fn server(limits: HttpLimits, output: OutboxLimits) -> ServerConnection {
    ServerConnection::new(limits.into(), output)
}

fn client() -> ClientConnection {
    ClientConnection::new(HttpLimits::default().into(), OutboxLimits::default())
}

fn head() -> Request {
    Request::new(Method::Get, "h", "/").unwrap()
}

fn socket(limits: ws::SocketLimits) -> Socket {
    let output = OutboxLimits::default();
    Socket::from_parts(Role::Server, Bytes::new(), limits.into(), output, Jitter(0), None)
}

/// What is ready is there, whether the head was taken before or after its event.
#[test]
fn a_head_that_is_taken_early_does_not_hide_the_body() {
    let mut handshake = client().switch(Upgrade::new(head(), "echo").unwrap(), Bytes::new());
    feed(handshake.io(), b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let Opening::Refused(mut call) = handshake.poll() else { panic!("another response") };
    assert!(call.take_head().is_some() && call.answer().ready());
    assert!(matches!(call.answer().event(), Some(CallEvent::Data(data)) if data[..] == *b"ok"));
    assert!(matches!(call.answer().event(), Some(CallEvent::End)));

    let mut call = client().send(&head(), Bytes::new());
    feed(call.io(), b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n");
    assert!(call.answer().ready() && call.take_head().is_some());
    assert!(!call.answer().ready() && call.answer().event().is_none());
    feed(call.io(), b"ok");
    assert!(matches!(call.answer().event(), Some(CallEvent::Data(_))));
}

/// A call whose trailers were seen and not taken is not over.
#[test]
fn trailers_that_are_ready_are_not_lost() {
    let mut call = client().send(&head(), Bytes::new());
    let response = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nt: 1\r\n\r\n";
    feed(call.io(), response);
    assert!(matches!(call.answer().event(), Some(CallEvent::Head(_))));
    assert!(matches!(call.answer().event(), Some(CallEvent::Data(_))));
    assert!(call.answer().ready() && !call.answer().is_done());
    let Again::Unread(mut call) = call.next() else { panic!("the trailers are unread") };
    assert!(matches!(call.answer().event(), Some(CallEvent::Trailers(_))));
    assert!(matches!(call.next(), Again::Client(_)));
}

/// What no byte came for may be asked again, and the call says so also once it has failed.
#[test]
fn a_request_without_an_answer_stays_untouched() {
    let mut call = client().send(&head(), Bytes::new());
    end(call.io());
    assert!(matches!(call.answer().event(), Some(CallEvent::Failed(Failure::Unanswered))));
    assert!(call.is_untouched());
}

#[test]
fn a_look_that_claims_more_than_the_room_fills_the_room() {
    let mut limits = HttpLimits::default();
    (limits.received_bytes, limits.head_bytes, limits.trailer_bytes) = (64, 64, 64);
    let mut server = server(limits, OutboxLimits::default());
    server.io().lend(BytesMut::zeroed(1000)).unwrap();
    let Ok(arrived) = server.io().read(at(0), |room| {
        assert_eq!(room.len(), 64);
        Ok::<_, Infallible>(Look::Bytes(900))
    });
    assert_eq!((arrived, server.io().unread()), (Arrived::Something, 64));
}

/// A state that can do nothing more says so each time: it neither has news for ever nor a deadline that has passed.
#[test]
fn a_stream_that_broke_off_is_told_again() {
    let mut server = server(HttpLimits::default(), OutboxLimits::default());
    feed(server.io(), b"GET / HT");
    cut(server.io());
    for millis in [0, 60_000] {
        let Next::Wait(waiting) = server.poll() else { panic!("a head is missing") };
        server = waiting;
        assert_eq!(look(server.io(), millis), Arrived::Cut);
    }
    let mut call = client().send(&head(), Bytes::new());
    let _ = (written(call.io()), waits(call.io(), 0));
    let Ok(arrived) = call.io().read_ahead(at(0), |_| Ok::<_, Infallible>(Look::Cut));
    assert_eq!(arrived, Arrived::Cut);
    for millis in [0, 100_000] {
        assert!(call.answer().event().is_none());
        assert_eq!(look(call.io(), millis), Arrived::Cut);
    }
    let mut socket = socket(ws::SocketLimits::default());
    waits(socket.io(), 0);
    cut(socket.io());
    assert!(socket.event().is_none());
    assert_eq!(look(socket.io(), 100_000), Arrived::Cut);
    // What is queued still goes out.
    socket.writer().text("hello").unwrap();
    let mut closing = socket.close(Close::EMPTY);
    let ends = waits(closing.io(), 100_000);
    assert_eq!((ends, written(closing.io()).len()), (None, 9));
    assert_eq!(waits(closing.io(), 100_000).unwrap().reason, Limit::CloseTime);
}

/// A driver whose clock goes back gets neither endless pings nor a limit that is met early.
#[test]
fn time_does_not_go_back() {
    let limits = {
        let mut limits = ws::SocketLimits::default();
        limits.ping_interval = Some(Duration::ZERO);
        limits
    };
    let mut socket = socket(limits);
    for _ in 0..2 {
        let _ = (look(socket.io(), 100), socket.event().is_none(), written(socket.io()));
    }
    feed_at(socket.io(), 100, b"\x8a\x80\0\0\0\0\x82\x80\0\0\0\0");
    assert!(socket.event().is_some());
    assert_eq!((look(socket.io(), 1000), written(socket.io())), (Arrived::Something, b"\x89\0".to_vec()));
    assert!(socket.event().is_some());
    assert_eq!(waits(socket.io(), 500).unwrap().reason, Limit::PongTime);
    assert!(written(socket.io()).is_empty());

    let mut server = server(HttpLimits::default(), OutboxLimits::default());
    let first = waits(server.io(), 5000);
    assert_eq!((waits(server.io(), 0), first.unwrap().at), (first, at(15_000)));
}

/// No time at all is over at once, though the peer has not taken our Close.
#[test]
fn a_close_time_of_zero_does_not_begin_again_for_ever() {
    let limits = {
        let mut limits = ws::SocketLimits::default();
        limits.close_time = Duration::ZERO;
        limits
    };
    let mut receiving = socket(limits).close_writing(Close::EMPTY);
    assert_eq!(written(receiving.io()), b"\x88\0");
    let left = || Some(2);
    assert_eq!(look(receiving.io().unacknowledged(&left), 5), Arrived::Something);
    assert!(matches!(receiving.event(), Some(ws::Event::Failed(_))));
    let Ending::EndWrite(_) = receiving.discard().poll() else { panic!("the server closes first") };
}

/// The time for the answer to our Close runs only while the Close is out.
#[test]
fn a_close_that_is_held_back_after_it_was_taken_is_not_out() {
    let mut closing = socket(ws::SocketLimits::default()).close(Close::EMPTY);
    assert_eq!(written(closing.io()), b"\x88\0");
    assert_eq!(waits(closing.io(), 0).unwrap().at, at(5000));
    closing.io().set_held_back(true);
    assert_eq!(waits(closing.io(), 60_000), None);
    let Ending::Wait(mut closing) = closing.poll() else { panic!("the peer does not have it") };
    closing.io().set_held_back(false);
    assert_eq!(waits(closing.io(), 60_000).unwrap().at, at(65_000));
}

#[test]
fn a_body_goes_on_however_small_the_output_is() {
    for framing in [Framing::Chunked, Framing::Length(3)] {
        let output = OutboxLimits { bytes: 0, high_water: 0, ..OutboxLimits::default() };
        let mut server = server(HttpLimits::default(), output);
        feed(server.io(), GET);
        let Next::Request(_, exchange) = server.poll() else { panic!("a request") };
        let mut writing = exchange.start(&Response::new(StatusCode::OK), framing, None);
        written(writing.io());
        assert_eq!(writing.writer().copy(b"abc"), 3);
        assert!(writing.finish(None).is_ok());
    }
}

/// An application that leaves bytes where they are has no news.
#[test]
fn bytes_of_another_protocol_are_told_once() {
    let mut server = server(HttpLimits::default(), OutboxLimits::default());
    feed(server.io(), b"GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nbehind");
    let Next::Request(_, exchange) = server.poll() else { panic!("a request") };
    let Ok(mut upgraded) = exchange.switch("echo", &FieldSection::new(), None) else { panic!("offered") };
    assert_eq!(waits(upgraded.io(), 0), None);
    assert_eq!(upgraded.received().unwrap()[..], *b"behind");
}
