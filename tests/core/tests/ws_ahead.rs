//! RFC 6455 5.5: what is seen behind messages that the application leaves unread.
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

use endwell_core::ws::{
    Close, CloseCode, DataMessage, Event, Jitter, Kind, Piece, Receiving, Role, Socket, SocketLimits,
};
use endwell_core::{Arrived, End, Limit, OutboxLimits, Outcome};
use endwell_core_tests::io::{
    ahead, at, end_at, feed, feed_at, look, pause, take, waits, written, written_at,
};
use ws_help::{
    Got, ROOMY, client_with, closes_once, frame, got, masked, plain, pongs, receive, server, server_with,
    text,
};

fn ping(payload: &str) -> Got {
    Got::Ping(payload.into())
}

fn receive_on(receiving: &mut Receiving) -> Vec<Got> {
    let mut all = vec![];
    while let Some(event) = receiving.event() {
        all.push(got(event));
        if matches!(all.last(), Some(Got::Close(..) | Got::Failure(_))) {
            break;
        }
    }
    all
}

fn received(socket: Socket) -> Receiving {
    socket.answer_close().unwrap()
}

/// 5.5.2: a ping is answered at once, and only once, and the events come in order.
#[test]
fn a_ping_behind_unread_messages_is_answered_once() {
    let mut socket = server(&SocketLimits::default());
    let first = [masked(0x81, b"one"), masked(0x89, b"a"), masked(0x82, &[7; 300]), masked(0x89, b"b")];
    feed(socket.io(), &first.concat());
    assert!(written(socket.io()).is_empty(), "nothing is looked at while bytes arrive");
    pause(socket.io(), 0);
    assert_eq!(written(socket.io()), [plain(0x8a, b"a"), plain(0x8a, b"b")].concat());
    pause(socket.io(), 1);
    feed(socket.io(), &masked(0x89, b"c")[..6]);
    pause(socket.io(), 2);
    assert!(written(socket.io()).is_empty(), "half a ping is none yet");
    feed(socket.io(), &masked(0x89, b"c")[6..]);
    pause(socket.io(), 3);
    assert_eq!(written(socket.io()), plain(0x8a, b"c"));
    feed(socket.io(), &masked(0x89, b"d"));
    let all = [text("one"), ping("a"), Got::Binary(vec![7; 300]), ping("b"), ping("c"), ping("d")];
    assert_eq!(receive(&mut socket), all);
    assert_eq!(written(socket.io()), plain(0x8a, b"d"), "the one that no look has seen");
}

/// A driver that waits after `Nothing` or `Full` leaves no pong unwritten.
#[test]
fn an_answer_that_a_look_has_queued_is_told_once() {
    let mut small = SocketLimits::default();
    small.received_bytes = 256;
    let arrived = [masked(0x81, b"one"), masked(0x89, b"a")].concat();
    // To the last byte of room, and no read after it.
    let filled = [&arrived[..], &masked(0x82, &[7; 300])].concat()[..256].to_vec();
    for (bytes, then) in [(&arrived, Arrived::Nothing(None)), (&filled, Arrived::Full)] {
        let mut socket = server(&small);
        feed(socket.io(), bytes);
        assert_eq!(ahead(socket.io(), 0), Arrived::Something, "then {then:?}");
        assert_eq!(written(socket.io()), plain(0x8a, b"a"));
        assert_eq!(ahead(socket.io(), 0), then);
        assert_eq!(written(socket.io()), b"");
    }
    let mut socket = server(&small);
    feed(socket.io(), &filled);
    assert_eq!((look(socket.io(), 0), look(socket.io(), 0)), (Arrived::Something, Arrived::Full));
}

/// Fragments, every form of a length, masked and not: wherever the bytes are cut, and whatever was looked at before.
#[test]
fn every_split_shows_the_same() {
    for we_are_client in [false, true] {
        let key = (!we_are_client).then_some(ws_help::KEY);
        let fragments = [frame(0x01, b"", key), frame(0x89, b"a", key), frame(0x00, &[b'x'; 130], key)];
        let rest = [frame(0x8a, b"", key), frame(0x80, b"end", key), frame(0x82, &vec![7; 65_536], key)];
        let last = [frame(0x89, b"b", key), frame(0x88, b"\x0b\xb8bye", key)];
        let (before, last) = ([fragments, rest].concat().concat(), last.concat());
        let all = [&before[..], &last].concat();
        let make = if we_are_client { client_with } else { server_with };
        let near = |cut: &usize| *cut < 320 || *cut > before.len() - 10 || cut % 4096 == 0;
        for cut in (0..all.len()).filter(near) {
            let mut socket = make(&SocketLimits::default(), ROOMY);
            feed(socket.io(), &all[..cut]);
            pause(socket.io(), 0);
            let Err(mut socket) = socket.answer_close() else { panic!("it has not arrived") };
            feed(socket.io(), &all[cut..]);
            let mut receiving = received(socket);
            let out = written(receiving.io());
            let answered = pongs(&out, we_are_client);
            assert_eq!(answered, [b"a", b"b"], "{cut}");
            assert!(closes_once(&out, we_are_client), "{cut}");
            assert_eq!(receive_on(&mut receiving).len(), 6, "{cut}");
            assert_eq!(*receiving.discard().ended(), closed_by_the_peer());
        }
    }
}

/// A look begins behind the frame that is being taken, whose payload may look like frames.
#[test]
fn a_look_begins_behind_the_frame_in_progress() {
    let payload = [plain(0x89, b"no"), plain(0x88, b"")].concat();
    for (first, next) in [(0x02, 0x80), (0x82, 0x82)] {
        let mut socket = client_with(&SocketLimits::default(), ROOMY);
        let all = [plain(first, &payload), plain(0x89, b"a"), plain(next, b"more"), plain(0x89, b"b")];
        feed(socket.io(), &all.concat());
        assert!(matches!(socket.piece(), Some(Piece::Start(Kind::Binary))));
        assert!(socket.ready_piece());
        let Err(mut socket) = socket.answer_close() else { panic!("the Close is payload") };
        assert_eq!(pongs(&written(socket.io()), true), [b"a", b"b"]);
        let Some(Piece::Binary(piece)) = socket.piece() else { panic!("a piece is ready") };
        assert_eq!(&piece[..], payload);
    }
}

/// What arrived with a handshake is looked at as well.
#[test]
fn what_lies_behind_a_handshake_is_seen() {
    let leftover = [masked(0x81, b"one"), masked(0x89, b"a"), masked(0x88, b"\x0b\xb8bye")].concat();
    let (limits, output) = (SocketLimits::default().into(), OutboxLimits::default());
    let socket = Socket::from_parts(Role::Server, leftover.into(), limits, output, Jitter(0), None);
    let mut receiving = received(socket);
    assert_eq!(written(receiving.io()), [plain(0x8a, b"a"), plain(0x88, b"\x0b\xb8")].concat());
    assert_eq!(receive_on(&mut receiving).len(), 3);
}

/// A read that finds nothing looks too if something is ready: the application was told, and may take its time.
#[test]
fn a_read_while_something_is_ready_answers_pings() {
    let mut socket = server(&SocketLimits::default());
    feed(socket.io(), &[masked(0x81, b"one"), masked(0x89, b"a")].concat());
    assert_eq!(look(socket.io(), 0), Arrived::Something, "a Pong is to be written");
    assert_eq!(written(socket.io()), plain(0x8a, b"a"));
    assert_eq!(waits(socket.io(), 1).unwrap().reason, Limit::PingInterval);
    assert_eq!(receive(&mut socket), [text("one"), ping("a")]);
    assert!(written(socket.io()).is_empty());
}

/// Above the high-water mark one pong is kept, the latest, whether a look or the application saw the ping.
#[test]
fn of_the_pongs_that_wait_for_room_the_latest_is_kept() {
    let output = OutboxLimits { bytes: 4096, high_water: 100, ..OutboxLimits::default() };
    for taken in 0..4 {
        let mut socket = server_with(&SocketLimits::default(), output);
        socket.writer().message(DataMessage::binary(vec![7; 200])).unwrap();
        for payload in [b"a", b"b", b"c"] {
            feed(socket.io(), &[masked(0x81, b"m"), masked(0x89, payload)].concat());
            pause(socket.io(), 0);
        }
        for _ in 0..taken {
            assert!(socket.event().is_some());
        }
        take(socket.io(), 204);
        pause(socket.io(), 1);
        assert_eq!(written(socket.io()), plain(0x8a, b"c"), "after {taken} events");
    }
}

/// 5.5.1: the answer does not wait for the application, which still receives what came before, and the end is clean.
#[test]
fn a_close_behind_unread_messages_is_answered_at_once() {
    for we_are_client in [false, true] {
        let limits = SocketLimits::default();
        let key = (!we_are_client).then_some(ws_help::KEY);
        let make = if we_are_client { client_with } else { server_with };
        let mut socket = make(&limits, ROOMY);
        let messages = [
            frame(0x81, b"one", key),
            frame(0x89, b"p", key),
            frame(0x02, b"t", key),
            frame(0x80, b"wo", key),
        ];
        feed(socket.io(), &[messages.concat(), frame(0x82, b"three", key)].concat());
        let Err(mut socket) = socket.answer_close() else { panic!("no Close has arrived") };
        feed(socket.io(), &frame(0x88, b"\x0b\xb8bye", key));
        let mut receiving = received(socket);
        let out = written(receiving.io());
        assert!(closes_once(&out, we_are_client));
        if !we_are_client {
            assert_eq!(out, [plain(0x8a, b"p"), plain(0x88, b"\x0b\xb8")].concat());
        }
        // Nothing runs while the application takes its time, however long that is.
        assert_eq!(waits(receiving.io(), 1_000_000), None);
        pause(receiving.io(), 2_000_000);
        let all = [text("one"), ping("p"), Got::Binary(b"two".into()), Got::Binary(b"three".into())];
        let (before, close) = (receive_on(&mut receiving), Got::Close(Some(3000), "bye".into()));
        assert_eq!(before, [&all[..], &[close]].concat());
        assert!(written(receiving.io()).is_empty(), "nothing follows our Close");
        assert_eq!(*receiving.discard().ended(), closed_by_the_peer());
    }
}

fn closed_by_the_peer() -> Outcome {
    let code = CloseCode::new(3000).unwrap();
    Outcome::Closed { first: End::Theirs, sent: code.into(), received: Close::new(code, "bye").unwrap() }
}

/// What came before the Close need not be taken.
#[test]
fn what_lies_before_an_answered_close_can_be_discarded() {
    for taken in 0..=3 {
        let mut socket = server(&SocketLimits::default());
        feed(
            socket.io(),
            &[masked(0x81, b"one"), masked(0x81, b"two"), masked(0x88, b"\x0b\xb8bye")].concat(),
        );
        let mut receiving = received(socket);
        assert_eq!(written(receiving.io()), plain(0x88, b"\x0b\xb8"));
        for _ in 0..taken {
            assert!(receiving.event().is_some());
        }
        let closing = receiving.discard();
        let endwell_core::Ending::EndWrite(closing) = closing.poll() else {
            panic!("both Closes have passed")
        };
        assert_eq!(closing.into_ended(), closed_by_the_peer());
    }
}

/// A Close that was taken is answered as well. 5.5.1: the answer has its code.
#[test]
fn a_close_that_was_taken_is_answered() {
    let mut socket = server(&SocketLimits::default());
    feed(socket.io(), &masked(0x88, b"\x0b\xb8bye"));
    assert_eq!(receive(&mut socket), [Got::Close(Some(3000), "bye".into())]);
    let mut receiving = received(socket);
    assert_eq!(written(receiving.io()), plain(0x88, b"\x0b\xb8"));
    assert_eq!(*receiving.discard().ended(), closed_by_the_peer());
}

/// 5.5.1: the answer may wait until the message that is being sent is complete.
#[test]
fn the_answer_comes_behind_a_message_in_pieces() {
    let mut within = server(&SocketLimits::default()).begin(Kind::Text);
    within.writer().write("half".into()).unwrap();
    feed(within.io(), &[masked(0x81, b"one"), masked(0x89, b"p"), masked(0x88, b"\x0b\xb8bye")].concat());
    pause(within.io(), 0);
    assert_eq!(written(within.io()), [plain(0x01, b"half"), plain(0x8a, b"p")].concat());
    let mut receiving = received(within.finish().unwrap());
    assert_eq!(written(receiving.io()), [plain(0x80, b""), plain(0x88, b"\x0b\xb8")].concat());
    assert_eq!(receive_on(&mut receiving).len(), 3);
}

/// A look judges nothing: it stops where the protocol is broken, and the violation is found in order.
#[test]
fn a_look_stops_at_a_violation() {
    let broken = [
        masked(0xc1, b"reserved bits"),
        masked(0x83, b"a reserved opcode"),
        plain(0x81, b"no mask"),
        masked(0x80, b"the rest of nothing"),
        [masked(0x01, b"a message"), masked(0x81, b"within a message")].concat(),
        [masked(0x01, b"a message"), masked(0x89, b""), masked(0x82, b"within a message")].concat(),
        masked(0x09, b"a ping in fragments"),
        masked(0x88, b"x"),
        masked(0x88, &1005_u16.to_be_bytes()),
    ];
    for broken in broken {
        let mut socket = server(&SocketLimits::default());
        let behind = [masked(0x89, b"late"), masked(0x88, b"")].concat();
        feed(socket.io(), &[masked(0x81, b"one"), masked(0x89, b"a"), broken.clone(), behind].concat());
        for millis in 0..2 {
            pause(socket.io(), millis);
            let Err(same) = socket.answer_close() else { panic!("{broken:x?}") };
            socket = same;
        }
        let out = written(socket.io());
        let answered = pongs(&out, false);
        assert!(answered == [&b"a"[..]] || answered == [&b"a"[..], b""], "{broken:x?}: {out:x?}");
        let all = receive(&mut socket);
        assert_eq!(all.last(), Some(&Got::Failure(Some(1002))), "{broken:x?}");
        assert!(written(socket.io()).is_empty());
    }
}

/// 7.1.7: after a failure nothing behind it counts, though it was seen.
#[test]
fn a_close_behind_a_failure_is_not_answered() {
    let mut socket = server(&SocketLimits::default());
    feed(socket.io(), &[masked(0x81, b"\xff"), masked(0x89, b"p"), masked(0x88, b"")].concat());
    pause(socket.io(), 0);
    assert_eq!(written(socket.io()), plain(0x8a, b"p"));
    let Some(Event::Failed(_)) = socket.event() else { panic!("the text is invalid") };
    let Err(socket) = socket.answer_close() else { panic!("the failure came first") };
    let out = written(socket.close(Close::EMPTY).io());
    assert_eq!((&out[..1], &out[2..4]), (&b"\x88"[..], &b"\x03\xef"[..]));
}

/// Behind a full inbox nothing is seen, and nothing is held against the peer.
#[test]
fn the_bound_is_that_of_the_inbox() {
    let mut limits = SocketLimits::default();
    limits.received_bytes = 256;
    let mut socket = server(&limits);
    let (message, close) = (masked(0x82, &[7; 119]), masked(0x88, b""));
    assert_eq!(message.len(), 125);
    let all = [message.clone(), message, masked(0x81, b""), close].concat();
    assert_eq!(feed(socket.io(), &all), 256);
    let Err(mut socket) = socket.answer_close() else { panic!("it has not arrived") };
    assert_eq!(look(socket.io(), 1_000_000), Arrived::Full);
    assert!(written(socket.io()).is_empty());
    assert!(socket.event().is_some());
    assert_eq!(feed_at(socket.io(), 1_000_001, &all[256..]), 6);
    let mut receiving = received(socket);
    assert_eq!(written_at(receiving.io(), 1_000_001), plain(0x88, b""));
}

/// Of the smallest frames, the inbox holds as many as the documentation says, and all are seen.
#[test]
fn the_bound_in_frames() {
    let mut socket = server(&SocketLimits::default());
    let count = 21_845;
    let mut all = masked(0x82, b"").repeat(count - 1);
    all.extend(masked(0x88, b""));
    assert_eq!(feed(socket.io(), &all), all.len());
    assert_eq!(feed(socket.io(), &masked(0x82, b"")), 2, "no other fits");
    let mut receiving = received(socket);
    assert_eq!(written(receiving.io()), plain(0x88, b""));
    assert_eq!(receive_on(&mut receiving).len(), count);
}

/// A pong that lies behind unread messages is not late, whenever it is taken, and the next ping goes out in its time.
#[test]
fn a_pong_is_heard_behind_unread_messages() {
    let mut socket = server(&SocketLimits::default());
    assert_eq!(waits(socket.io(), 0).unwrap().reason, Limit::PingInterval);
    assert_eq!(look(socket.io(), 20_000), Arrived::Something);
    assert_eq!(written_at(socket.io(), 20_000), plain(0x89, b""));
    assert_eq!(waits(socket.io(), 20_001).unwrap().reason, Limit::PongTime);
    feed_at(socket.io(), 20_002, &[masked(0x81, b"one"), masked(0x8a, b"")].concat());
    let next = waits(socket.io(), 20_003).unwrap();
    assert_eq!((next.reason, next.at), (Limit::PingInterval, at(38_000)));
    assert_eq!(look(socket.io(), 38_000), Arrived::Something, "the next ping");
    assert_eq!(written_at(socket.io(), 38_000), plain(0x89, b""));
    assert_eq!(receive(&mut socket), [text("one"), Got::Pong(vec![])]);
}

/// There is room for a pong, and none comes: the peer is lost. What it has sent can still be taken, and then the failure.
#[test]
fn a_peer_is_lost_behind_unread_messages() {
    let mut socket = server(&SocketLimits::default());
    feed_at(socket.io(), 0, &masked(0x81, b"one"));
    assert_eq!(waits(socket.io(), 0).unwrap().reason, Limit::PingInterval);
    assert_eq!(look(socket.io(), 20_000), Arrived::Something);
    assert_eq!(written_at(socket.io(), 20_000), plain(0x89, b""));
    assert!(!socket.is_lost());
    assert_eq!(waits(socket.io(), 39_999).unwrap().at, at(40_000));
    assert_eq!(look(socket.io(), 40_000), Arrived::Something);
    assert!(socket.is_lost());
    assert_eq!(waits(socket.io(), 100_000), None, "it is told once");
    assert_eq!(receive(&mut socket), [text("one"), Got::Failure(Some(1008))]);
    let closing = socket.close(Close::EMPTY);
    assert!(
        matches!(closing.ended(), Outcome::Exceeded(met) | Outcome::Silent(met) if met.limit == Limit::PongTime)
    );
}

/// What was asked for last is asked for again: whole messages, or their parts.
#[test]
fn asking_again_asks_for_the_same() {
    let mut socket = server(&SocketLimits::default());
    let (begin, end) = (masked(0x01, b"be"), masked(0x80, b"gun"));
    feed(socket.io(), &begin);
    assert!(!socket.ready() && !socket.ready_again(), "no whole message");
    assert!(socket.ready_piece() && socket.ready_again(), "its start");
    assert!(!socket.ready() && !socket.ready_again());
    feed(socket.io(), &end);
    assert!(socket.ready_again());
    assert_eq!(receive(&mut socket), [text("begun")]);
    assert!(!socket.ready_again());
}

/// A socket that closes once its peer is lost says why, and does not wait for a Close.
#[test]
fn a_lost_peer_is_told_why_and_not_waited_for() {
    let mut socket = server(&SocketLimits::default());
    feed_at(socket.io(), 0, &masked(0x81, b"one"));
    assert_eq!(waits(socket.io(), 0).unwrap().reason, Limit::PingInterval);
    assert_eq!(look(socket.io(), 20_000), Arrived::Something);
    let _ping = written_at(socket.io(), 20_000);
    assert_eq!(look(socket.io(), 40_000), Arrived::Something);
    assert!(socket.is_lost());
    let mut closing = socket.close(Close::EMPTY);
    let close = written_at(closing.io(), 40_000);
    assert_eq!((close[0], &close[2..4]), (0x88, &1008_u16.to_be_bytes()[..]));
    assert!(matches!(closing.ended(), Outcome::Exceeded(met) if met.limit == Limit::PongTime), "{closing:?}");
}

/// After the end of the stream no pong can come, and no time runs for it.
#[test]
fn no_ping_is_due_behind_unread_messages_after_the_end() {
    let mut socket = server(&SocketLimits::default());
    feed_at(socket.io(), 0, &masked(0x81, b"one"));
    assert_eq!(waits(socket.io(), 0).unwrap().reason, Limit::PingInterval);
    end_at(socket.io(), 1);
    for millis in [2, 18_000, 60_000] {
        assert_eq!(waits(socket.io(), millis), None);
    }
    assert_eq!(receive(&mut socket)[0], text("one"));
}

/// A full inbox has no room for a pong: nothing is held against the peer.
#[test]
fn the_peer_is_not_silent_behind_a_full_inbox() {
    let mut limits = SocketLimits::default();
    limits.received_bytes = 256;
    let mut socket = server(&limits);
    assert_eq!(feed(socket.io(), &masked(0x82, &[7; 100]).repeat(5)), 256);
    for millis in [20_000, 100_000, 200_000] {
        assert_eq!(look(socket.io(), millis), Arrived::Full);
        assert!(written_at(socket.io(), millis).is_empty());
    }
    assert!(!socket.is_lost());
}
