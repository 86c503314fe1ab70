//! What the types do not prove: a test for each sentence that the crate's documentation has under this title. That a
//! program compiles is tested in `compile_fail`, by the twins of `drop_the_next_state` and `swap_what_is_inside`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::mem;

use bytes::Bytes;
use endwell_core::http::client::{Again, CallEvent, ClientConnection};
use endwell_core::http::server::{Exchange, Next, ServerConnection};
use endwell_core::http::{
    BodyEvent, Field, Framing, HttpLimits, InvalidField, Method, NotWritten, Request, Response, StatusCode,
};
use endwell_core::ws::{self, Event, Jitter, Kind, Role, Socket};
use endwell_core::{Ending, OutboxLimits, Outcome, Upgraded};
use endwell_core_tests::io::{end, feed, written};

fn server() -> ServerConnection {
    ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default())
}

fn exchange(request: &[u8]) -> Exchange {
    let mut server = server();
    feed(server.io(), request);
    let Next::Request(_, exchange) = server.poll() else { panic!("a request") };
    exchange
}

fn client() -> ClientConnection {
    ClientConnection::new(HttpLimits::default().into(), OutboxLimits::default())
}

fn get() -> Request {
    Request::new(Method::Get, "h", "/").unwrap()
}

fn socket(role: Role) -> Socket {
    let limits = ws::SocketLimits::default().into();
    Socket::from_parts(role, Bytes::new(), limits, OutboxLimits::default(), Jitter(0), None)
}

/// "Dropping a state ... fails safe": a response. "A response that only the close ends would look complete."
#[test]
fn a_response_whose_state_is_dropped_is_not_complete_unless_only_the_close_ends_it() {
    for (version, framing) in
        [("1.1", Framing::Length(5)), ("1.1", Framing::Chunked), ("1.0", Framing::Chunked)]
    {
        let request = format!("GET / HTTP/{version}\r\nHost: h\r\n\r\n");
        let mut writing = exchange(request.as_bytes()).start(&Response::new(StatusCode::OK), framing, None);
        assert_eq!(writing.writer().copy(b"hell"), 4);
        let sent = written(writing.io());
        drop(writing);
        let mut call = client().send(&get(), Bytes::new());
        feed(call.io(), &sent);
        assert!(matches!(call.answer().event(), Some(CallEvent::Head(_))));
        assert!(matches!(call.answer().event(), Some(CallEvent::Data(data)) if data[..] == *b"hell"));
        end(call.io());
        if version == "1.0" {
            assert!(matches!(call.answer().event(), Some(CallEvent::End)) && call.is_until_close());
        } else {
            assert!(matches!(call.answer().event(), Some(CallEvent::Failed(_))), "{framing:?}");
        }
    }
    // So it is aborted.
    let mut writing = exchange(b"GET / HTTP/1.0\r\nHost: h\r\n\r\n").start(
        &Response::new(StatusCode::OK),
        Framing::Chunked,
        None,
    );
    assert_eq!(writing.writer().copy(b"hell"), 4);
    assert!(matches!(writing.abort().poll(), Ending::Reset(Outcome::Aborted)));
}

/// "Dropping a state ... fails safe": a request, and a message of a WebSocket.
#[test]
fn a_request_and_a_message_whose_state_is_dropped_are_not_complete() {
    for framing in [Framing::Length(5), Framing::Chunked] {
        let mut call = client().start(&Request::new(Method::Post, "h", "/").unwrap(), framing);
        assert_eq!(call.writer().copy(b"hell"), 4);
        let sent = written(call.io());
        drop(call);
        let mut exchange = exchange(&sent);
        assert!(matches!(exchange.body().event(), Some(BodyEvent::Data(data)) if data[..] == *b"hell"));
        end(exchange.io());
        assert!(matches!(exchange.body().event(), Some(BodyEvent::Failed(_))), "{framing:?}");
    }

    let mut within = socket(Role::Server).begin(Kind::Binary);
    within.writer().write(Bytes::from_static(b"hell")).unwrap();
    let sent = written(within.io());
    drop(within);
    let mut peer = socket(Role::Client(ws::Masks::new(|| [1, 2, 3, 4])));
    feed(peer.io(), &sent);
    assert!(peer.event().is_none());
    end(peer.io());
    assert!(matches!(peer.event(), Some(Event::Failed(_))));
}

/// "Two whole connections can be swapped."
#[test]
fn connections_that_are_swapped_go_on_with_each_others_bytes() {
    let post = |text| format!("POST /{text} HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n{text}");
    let (mut a, mut b) = (exchange(post("a").as_bytes()), exchange(post("b").as_bytes()));
    mem::swap(&mut a, &mut b);
    for (mut exchange, other) in [(a, "b"), (b, "a")] {
        let Some(BodyEvent::Data(data)) = exchange.body().event() else { panic!("content") };
        assert_eq!(data[..], *other.as_bytes());
        let echoed = Bytes::copy_from_slice(&data);
        let mut answered = exchange.respond(&Response::new(StatusCode::OK), echoed, None);
        assert!(written(answered.io()).ends_with(format!("\r\n\r\n{other}").as_bytes()));
    }
}

/// "More data than was announced, and data that does not fit, is handed back; a body that is shorter than was announced
/// does not finish, and its state comes back."
#[test]
fn lengths_and_room_are_known_at_run_time() {
    let (announced, long) = (Framing::Length(5), Bytes::from_static(b"hello!"));
    let get = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    let mut writing = exchange(get).start(&Response::new(StatusCode::OK), announced, None);
    assert_eq!(writing.writer().write(long.clone()), Err(NotWritten::Overrun(long.clone())));
    let Err(mut writing) = writing.finish(None) else { panic!("five bytes are missing") };
    assert_eq!(writing.writer().copy(&long), 5);
    assert!(writing.finish(None).is_ok());

    let mut call = client().start(&Request::new(Method::Post, "h", "/").unwrap(), announced);
    assert_eq!(call.writer().write(long.clone()), Err(NotWritten::Overrun(long.clone())));
    let Err(mut call) = call.finish(None) else { panic!("five bytes are missing") };
    assert_eq!(call.writer().copy(&long), 5);
    assert!(call.finish(None).is_ok());

    let large = Bytes::from(vec![1; OutboxLimits::default().bytes + 1]);
    let mut writing = exchange(get).start(&Response::new(StatusCode::OK), Framing::Chunked, None);
    assert_eq!(writing.writer().write(large.clone()), Err(NotWritten::Full(large.clone())));
    let mut within = socket(Role::Server).begin(Kind::Binary);
    // A piece is taken at any size if nothing else is queued.
    within.writer().write(Bytes::from_static(b"x")).unwrap();
    assert_eq!(within.writer().write(large.clone()), Err(ws::PieceNotWritten::Full(large.clone())));
    let offer = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
    let Ok(upgraded) = exchange(offer).switch("echo", &endwell_core::http::FieldSection::new(), None) else {
        panic!("it is offered")
    };
    let mut upgraded: Upgraded = upgraded;
    assert_eq!(upgraded.write(large.clone()), Err(large));
}

/// "That a response was read to its end is known at run time."
#[test]
fn a_response_that_was_not_read_gives_the_call_back() {
    let mut call = client().send(&get(), Bytes::new());
    feed(call.io(), b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    for _ in 0..2 {
        let Again::Unread(unread) = call.next() else { panic!("it was not read") };
        call = unread;
        assert!(call.answer().event().is_some());
    }
    assert!(matches!(call.next(), Again::Client(_)));
}

/// "A field is text, so its type checks for CR, LF and NUL when it is made."
#[test]
fn a_field_is_checked_when_it_is_made() {
    for byte in [b'\r', b'\n', 0] {
        let (name, value) = ([b'a', byte], [b'x', byte, b'y']);
        let name = std::str::from_utf8(&name).unwrap();
        assert_eq!(Field::new(name, b"x").err(), Some(InvalidField::Name), "{byte}");
        assert_eq!(Field::new("a", &value).err(), Some(InvalidField::Value), "{byte}");
    }
    assert!(Field::new("a", b"x y").is_ok());
}
