//! What holds for a connection that is one value, whatever it speaks: what is left when the right to write is used up, and
//! that nothing but a look at the transport makes time pass.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic, and reads like the wire"
)]

use core::convert::Infallible;

use bytes::Bytes;
use endwell_core::http::client::{ClientConnection, Opening};
use endwell_core::http::server::{After, Exchange, Next, ServerConnection};
use endwell_core::http::{BodyEvent, Framing, HttpLimits, Response, StatusCode};
use endwell_core::ws::{self, Acceptance, Close, CloseCode, Jitter, Masks, Offer, Role};
use endwell_core::ws::{Event, Socket};
use endwell_core::{Arrived, Deadline, End, Ending, Limit, Look, OutboxLimits, Outcome, Upgraded};
use endwell_core_tests::io::{at, end, feed, look, pause, written};

fn exchange(request: &[u8]) -> Exchange {
    let mut server = ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    feed(server.io(), request);
    let Next::Request(_, exchange) = server.poll() else { panic!("a request") };
    exchange
}

fn socket(received: &'static [u8]) -> Socket {
    let limits = ws::SocketLimits::default().into();
    let received = Bytes::from_static(received);
    Socket::from_parts(Role::Server, received, limits, OutboxLimits::default(), Jitter(0), None)
}

const UPLOAD: &[u8] = b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 6\r\n\r\nabc";

#[test]
fn a_client_is_told_to_continue_once_whatever_the_handler_says() {
    let asks = b"POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 6\r\n\r\n";
    for (request, told) in [(&asks[..], &b"HTTP/1.1 100 Continue\r\n\r\n"[..]), (UPLOAD, b"")] {
        let mut exchange = exchange(request);
        for expects in [!told.is_empty(), false] {
            assert_eq!(exchange.expects_continue(), expects);
            exchange.proceed();
        }
        assert_eq!(written(exchange.io()), told);
    }
}

#[test]
fn an_upload_is_read_to_its_end_after_the_response() {
    let mut answered =
        exchange(UPLOAD).start(&Response::new(StatusCode::OK), Framing::Length(0), None).finish(None);
    let answered = answered.as_mut().expect("nothing was announced");
    assert!(matches!(answered.body().event(), Some(BodyEvent::Data(data)) if data[..] == *b"abc"));
    assert!(answered.body().event().is_none());
    feed(answered.io(), b"def");
    assert!(matches!(answered.body().event(), Some(BodyEvent::Data(data)) if data[..] == *b"def"));
    for _ in 0..2 {
        assert!(matches!(answered.body().event(), Some(BodyEvent::End)));
    }
}

#[test]
fn an_upload_that_is_cut_after_the_response_does_not_look_whole() {
    let writing = exchange(UPLOAD).start(&Response::new(StatusCode::OK), Framing::Length(0), None);
    let Ok(mut answered) = writing.finish(None) else { panic!("nothing was announced") };
    assert!(matches!(answered.body().event(), Some(BodyEvent::Data(_))));
    end(answered.io());
    for _ in 0..2 {
        let Some(BodyEvent::Failed(error)) = answered.body().event() else { panic!("it was cut") };
        assert!(error.to_string().contains("3 of 6 bytes"), "{error}");
    }
    let After::Closing(closing) = answered.next() else { panic!("nothing can follow") };
    assert_eq!(*closing.ended(), Outcome::ByUs);
}

#[test]
fn an_upload_that_nobody_reads_is_drained_before_the_next_request() {
    let answered = exchange(UPLOAD).respond(&Response::new(StatusCode::OK), Bytes::new(), None);
    let After::Again(server) = answered.next() else { panic!("three bytes are worth reading") };
    let Next::Wait(mut server) = server.poll() else { panic!("they have not come") };
    feed(server.io(), b"defGET /next HTTP/1.1\r\nhost: h\r\n\r\n");
    let Next::Request(head, _) = server.poll() else { panic!("the next request") };
    assert_eq!(head.path(), "/next");
}

#[test]
fn after_our_close_messages_are_received_until_the_peers_close() {
    let mut socket = socket(b"\x81\x82\0\0\0\0on\x89\x80\0\0\0\0\x81\x80\0\0\0\0\x88\x82\0\0\0\0\x03\xe8");
    socket.writer().text("last").unwrap();
    let mut receiving = socket.close_writing(CloseCode::GOING_AWAY.into());
    assert!(matches!(receiving.event(), Some(Event::Text(text)) if &*text == "on"));
    assert!(matches!(receiving.event(), Some(Event::Ping(_))));
    assert!(matches!(receiving.event(), Some(Event::Text(text)) if text.is_empty()));
    for _ in 0..2 {
        assert!(
            matches!(receiving.event(), Some(Event::Close(close)) if close.code() == Some(CloseCode::NORMAL))
        );
    }
    let mut closing = receiving.discard();
    // The ping got no answer.
    assert_eq!(written(closing.io()), b"\x81\x04last\x88\x02\x03\xe9");
    let Ending::EndWrite(mut closing) = closing.poll() else { panic!("the server closes first") };
    end(closing.io());
    let Ending::Done(ended) = closing.poll() else { panic!("both have closed") };
    let (sent, received) = (CloseCode::GOING_AWAY.into(), CloseCode::NORMAL.into());
    assert_eq!(ended, Outcome::Closed { first: End::Ours, sent, received });
}

#[test]
fn a_peer_that_does_not_answer_our_close_meets_its_time_either_way() {
    let time = ws::SocketLimits::default().close_time;
    let millis = u64::try_from(time.as_millis()).unwrap();
    let mut receiving = socket(b"").close_writing(Close::EMPTY);
    assert_eq!(written(receiving.io()), b"\x88\0");
    assert!(receiving.event().is_none());
    let deadline = Deadline { at: at(millis), reason: Limit::CloseTime };
    assert_eq!(look(receiving.io(), 0), Arrived::Nothing(Some(deadline)));
    assert_eq!(look(receiving.io(), millis), Arrived::Something);
    assert!(matches!(receiving.event(), Some(Event::Failed(_))));

    let mut closing = socket(b"").close(Close::EMPTY);
    assert_eq!(written(closing.io()), b"\x88\0");
    assert_eq!(look(closing.io(), 0), Arrived::Nothing(Some(deadline)));
    assert_eq!(look(closing.io(), millis), Arrived::Something);
    // The peer has had its time, so it gets none to close either.
    let Ending::Done(Outcome::Exceeded(exceeded)) = closing.poll() else { panic!("it is over") };
    assert_eq!(exceeded.limit, Limit::CloseTime);
}

#[test]
fn silence_counts_against_the_peer_once_it_has_our_close() {
    // An hour of silence before it, and a peer that takes it slowly.
    let mut socket = socket(b"");
    let hour = 3_600_000;
    let _ = (look(socket.io(), 0), look(socket.io(), hour));
    let mut receiving = socket.close_writing(Close::EMPTY);
    let ends = |millis| Arrived::Nothing(Some(Deadline { at: at(millis), reason: Limit::CloseTime }));
    assert_eq!(look(receiving.io(), hour), Arrived::Nothing(None));
    assert!(receiving.event().is_none() && !written(receiving.io()).is_empty());
    assert_eq!(look(receiving.io(), hour + 1000), ends(hour + 6000));
    let left = || Some(1);
    assert_eq!(look(receiving.io().unacknowledged(&left), hour + 6000), ends(hour + 11_000));
    // A message, and what it says is no answer either.
    feed(receiving.io(), b"\x81\x80\0\0\0\0");
    assert!(matches!(receiving.event(), Some(Event::Text(_))) && receiving.event().is_none());
    assert_eq!(look(receiving.io(), hour + 10_000), ends(hour + 15_000));
    assert_eq!(look(receiving.io().unacknowledged(&|| Some(0)), hour + 15_000), Arrived::Something);
    assert!(matches!(receiving.event(), Some(Event::Failed(_))));
}

#[test]
fn a_peer_that_never_stops_sending_after_our_close_has_twice_the_time() {
    let mut closing = socket(b"").close(Close::EMPTY);
    assert_eq!(written(closing.io()), b"\x88\0");
    for second in 0.. {
        let Ok(arrived) = closing.io().read(at(second * 1000), |room| {
            room[..6].copy_from_slice(b"\x82\x80\0\0\0\0");
            Ok::<_, Infallible>(Look::Bytes(6))
        });
        assert_eq!(arrived, Arrived::Something);
        match closing.poll() {
            Ending::Wait(waiting) => closing = waiting,
            Ending::Done(Outcome::Exceeded(exceeded)) => {
                return assert_eq!((exceeded.limit, second), (Limit::CloseTime, 10));
            }
            other @ (Ending::EndWrite(_) | Ending::Done(_) | Ending::Reset(_)) => panic!("{other:?}"),
        }
        assert!(second < 60, "it goes on for ever");
    }
}

#[test]
fn a_keep_alive_ping_comes_by_itself() {
    let mut socket = socket(b"");
    assert!(socket.event().is_none());
    let Arrived::Nothing(Some(deadline)) = look(socket.io(), 0) else { panic!("a ping is due some time") };
    assert_eq!(deadline.reason, Limit::PingInterval);
    let millis = u64::try_from(deadline.at.since_epoch().as_millis()).unwrap();
    assert!(written(socket.io()).is_empty());
    // There is something to write.
    assert_eq!(look(socket.io(), millis), Arrived::Something);
    assert!(socket.event().is_none());
    assert_eq!(written(socket.io()), b"\x89\0");
    let Arrived::Nothing(Some(deadline)) = look(socket.io(), millis) else { panic!("a pong is due") };
    assert_eq!(deadline.reason, Limit::PongTime);
    let Arrived::Something = look(socket.io(), millis + 20_000) else { panic!("the pong is late") };
    assert!(matches!(socket.event(), Some(Event::Failed(_))));
    let close = written(socket.close(Close::EMPTY).io());
    assert_eq!((close[0], &close[2..4]), (0x88, &1008_u16.to_be_bytes()[..]));
}

#[test]
fn no_time_passes_while_nobody_waits_and_no_message_is_lost_when_pieces_are_looked_at() {
    let mut server = ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    for second in 0..1000 {
        let Ok(arrived) = server.io().read_ahead(at(second * 1000), |_| Ok::<_, Infallible>(Look::Nothing));
        assert_eq!(arrived, Arrived::Nothing(None));
    }
    let Arrived::Nothing(Some(deadline)) = look(server.io(), 1_000_000) else { panic!("the first look") };
    assert_eq!(deadline, Deadline { at: at(1_010_000), reason: Limit::FirstByteTime });

    let mut socket = socket(b"\x01\x82\0\0\0\0on");
    assert!(matches!(socket.piece(), Some(ws::Piece::Start(ws::Kind::Text))));
    for millis in 0..3 {
        let Arrived::Nothing(_) = look(socket.io(), millis) else { panic!("nothing is due") };
    }
    assert!(matches!(socket.piece(), Some(ws::Piece::Text(text)) if &*text == "on"));
}

#[test]
fn the_time_that_a_client_stays_unused_runs_while_nobody_waits() {
    let mut client = ClientConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    let ends = Deadline { at: at(75_000), reason: Limit::IdleTime };
    assert_eq!(look(client.io(), 0), Arrived::Nothing(Some(ends)));
    pause(client.io(), 74_000);
    assert_eq!(look(client.io(), 74_999), Arrived::Nothing(Some(ends)));
    // A limit is met by a read alone.
    pause(client.io(), 80_000);
    let mut client = client.poll().expect("nothing was read");
    assert_eq!(look(client.io(), 80_000), Arrived::Something);
    assert!(matches!(client.poll(), Err(Outcome::Silent(exceeded)) if exceeded.limit == Limit::IdleTime));
}

/// A body that has failed is no news.
#[test]
fn a_limit_that_is_met_is_told_once() {
    let mut exchange = exchange(UPLOAD);
    assert!(matches!(exchange.body().event(), Some(BodyEvent::Data(_))));
    let Arrived::Nothing(Some(deadline)) = look(exchange.io(), 0) else { panic!("three bytes are missing") };
    assert_eq!(deadline, Deadline { at: at(30_000), reason: Limit::BodyProgress });
    assert_eq!(look(exchange.io(), 30_000), Arrived::Something);
    assert!(matches!(look(exchange.io(), 30_000), Arrived::Nothing(_)));
    assert!(matches!(exchange.body().event(), Some(BodyEvent::Failed(_))));
}

#[test]
fn what_is_not_taken_is_not_the_peers_silence() {
    let mut exchange = exchange(UPLOAD);
    let Arrived::Nothing(None) = look(exchange.io(), 0) else { panic!("three bytes are there") };
    let Arrived::Nothing(None) = look(exchange.io(), 1_000_000) else { panic!("they still are") };
    assert!(matches!(exchange.body().event(), Some(BodyEvent::Data(_))));
    let Arrived::Nothing(Some(deadline)) = look(exchange.io(), 1_000_000) else { panic!("now it waits") };
    assert_eq!(deadline, Deadline { at: at(1_030_000), reason: Limit::BodyProgress });

    let mut socket = socket(b"");
    let Arrived::Nothing(Some(_)) = look(socket.io(), 0) else { panic!("a ping is due some time") };
    feed(socket.io(), b"\x81\x80\0\0\0\0");
    let Arrived::Nothing(Some(_)) = look(socket.io(), 17_000) else { panic!("only a ping is due") };
    // There is room for its pong, whatever is not taken.
    assert_eq!(look(socket.io(), 1_000_000), Arrived::Something);
    assert!(matches!(socket.event(), Some(Event::Text(_))) && socket.event().is_none());
    let Arrived::Nothing(Some(deadline)) = look(socket.io(), 1_000_000) else { panic!("now it waits") };
    assert_eq!(deadline, Deadline { at: at(1_020_000), reason: Limit::PongTime });
}

#[test]
fn two_cores_open_a_websocket_and_close_it_well() {
    let offer = Offer::new("h", "/", [7; 16], ws::SocketLimits::default().into()).unwrap();
    let client = ClientConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    let mut handshake = client.websocket(offer, Masks::new(|| [1, 2, 3, 4]));
    let exchange = exchange(&written(handshake.io()));
    let acceptance = Acceptance::new(ws::SocketLimits::default().into());
    let Ok(mut server) = exchange.accept(acceptance, None) else { panic!("a handshake") };
    server.writer().text("hello").unwrap();
    feed(handshake.io(), &written(server.io()));
    let Opening::Open(_, mut client) = handshake.poll() else { panic!("it is granted") };
    assert!(matches!(client.event(), Some(Event::Text(text)) if &*text == "hello"));
    let mut within = client.begin(ws::Kind::Binary);
    within.writer().write(Bytes::from_static(b"wor")).unwrap();
    within.writer().write(Bytes::from_static(b"ld")).unwrap();
    let mut closing = within.finish().unwrap().close(CloseCode::NORMAL.into());
    feed(server.io(), &written(closing.io()));
    assert!(matches!(server.event(), Some(Event::Binary(data)) if data[..] == *b"world"));
    assert!(matches!(server.event(), Some(Event::Close(_))));
    let mut server = server.close(Close::EMPTY);
    feed(closing.io(), &written(server.io()));
    let Ending::EndWrite(mut server) = server.poll() else { panic!("the server closes first") };
    let Ending::Wait(mut client) = closing.poll() else { panic!("the client waits for that") };
    end(client.io());
    end(server.io());
    let (Ending::Done(client), Ending::Done(server)) = (client.poll(), server.poll()) else {
        panic!("both end")
    };
    let code = Close::from(CloseCode::NORMAL);
    let ended = |first| Outcome::Closed { first, sent: code.clone(), received: code.clone() };
    assert_eq!((client, server), (ended(End::Ours), ended(End::Theirs)));
}

#[test]
fn what_another_protocol_gets_is_what_came_behind_and_what_http_has_queued() {
    let request = b"GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nfirst";
    let Ok(upgraded) = exchange(request).switch("echo", &endwell_core::http::FieldSection::new(), None)
    else {
        panic!("it is offered")
    };
    let mut upgraded: Upgraded = upgraded;
    assert_eq!(upgraded.received().map(|payload| payload.to_vec()), Some(b"first".to_vec()));
    upgraded.write(Bytes::from_static(b"FIRST")).unwrap();
    assert_eq!(look(upgraded.io(), 1 << 40), Arrived::Nothing(None));
    let (received, queued) = upgraded.into_parts();
    assert!(
        received.is_empty() && queued.starts_with(b"HTTP/1.1 101 ") && queued.ends_with(b"\r\n\r\nFIRST")
    );
}
