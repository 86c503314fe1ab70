//! RFC 6455 7: closing.
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

use endwell_core::ws::Event;
use endwell_core::ws::{Cause, Close, CloseCode, Kind, SocketLimits};
use endwell_core::{Arrived, Closing, End, Ending, Limit, Outcome};
use endwell_core_tests::io::{at, end, end_at, feed, feed_at, look, waits, written, written_at};
use ws_help::{Got, agreed, cause, client, masked, plain, server};

fn at_server(bytes: &[u8]) -> (Vec<Got>, Vec<u8>) {
    agreed(|| server(&SocketLimits::default()), bytes)
}

/// 5.5.1 and 7.4, S7: every length of payload, and each code from 999 to 5000.
#[test]
fn codes_and_reasons() {
    assert_eq!(at_server(&masked(0x88, b"")), (vec![Got::Close(None, String::new())], plain(0x88, b"")));
    assert_eq!(at_server(&masked(0x88, b"x")).0, [Got::Failure(Some(1002))]);
    assert_eq!(at_server(&masked(0x88, &[0; 126])).0, [Got::Failure(Some(1002))]);
    for code in 999..=5000_u16 {
        let valid = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
        let (got, answer) = at_server(&masked(0x88, &code.to_be_bytes()));
        if valid {
            // A two-byte code survives, in the answer too.
            assert_eq!(got, [Got::Close(Some(code), String::new())]);
            assert_eq!(answer, plain(0x88, &code.to_be_bytes()));
        } else {
            assert_eq!(got, [Got::Failure(Some(1002))], "{code}");
        }
    }
    let longest = "é".repeat(61) + "x";
    let payload = [&1001_u16.to_be_bytes()[..], longest.as_bytes()].concat();
    assert_eq!(payload.len(), 125);
    assert_eq!(at_server(&masked(0x88, &payload)).0, [Got::Close(Some(1001), longest)]);
    assert_eq!(at_server(&masked(0x88, b"\x03\xe8\xc3")).0, [Got::Failure(Some(1007))]);
}

/// 5.5.1: input behind the peer's Close is discarded, and so is the memory for it.
#[test]
fn nothing_behind_a_close_is_looked_at() {
    let bytes = [masked(0x88, b""), masked(0x81, b"late"), vec![0xff; 5000]].concat();
    assert_eq!(at_server(&bytes), (vec![Got::Close(None, String::new())], plain(0x88, b"")));
}

/// 7.1.7: nothing behind a failure is looked at, not even a Close.
#[test]
fn nothing_behind_a_failure_is_looked_at() {
    let bytes = [vec![0xff, 0xff], masked(0x88, b"\x03\xe8"), masked(0x89, b"ping")].concat();
    let (got, answer) = at_server(&bytes);
    assert_eq!(got, [Got::Failure(Some(1002))]);
    assert_eq!(answer.len(), 2 + usize::from(answer[1]));
}

fn ended(closing: Closing) -> Outcome {
    match closing.poll() {
        Ending::Done(ended) => ended,
        other => panic!("it goes on: {other:?}"),
    }
}

fn waiting(closing: Closing) -> Closing {
    match closing.poll() {
        Ending::Wait(closing) => closing,
        other => panic!("it does not wait: {other:?}"),
    }
}

fn ends_writing(closing: Closing) -> Closing {
    match closing.poll() {
        Ending::EndWrite(closing) => closing,
        other => panic!("it does not end its stream: {other:?}"),
    }
}

fn closed_by_us(reason: &str) -> Outcome {
    let received = Close::new(CloseCode::NORMAL, reason).unwrap();
    Outcome::Closed { first: End::Ours, sent: CloseCode::NORMAL.into(), received }
}

/// 7.1.1: the server closes first with its Close, then TCP; the data that still came is thrown away.
#[test]
fn we_close_first() {
    let mut closing = waiting(server(&SocketLimits::default()).close(CloseCode::NORMAL.into()));
    assert_eq!(waits(closing.io(), 0), None, "the time starts when all is written");
    assert_eq!(written(closing.io()), plain(0x88, b"\x03\xe8"));
    let mut closing = waiting(closing);
    feed(closing.io(), &[masked(0x81, b"late"), masked(0x89, b"ping")].concat());
    let mut closing = waiting(closing);
    let deadline = waits(closing.io(), 1000).unwrap();
    assert_eq!((deadline.at, deadline.reason), (at(5000), Limit::CloseTime));
    let mut closing = waiting(closing);
    feed_at(closing.io(), 2000, &masked(0x88, b"\x03\xe8bye"));
    let mut closing = waiting(ends_writing(closing));
    assert!(written(closing.io()).is_empty(), "nothing follows our Close");
    assert_eq!(waits(closing.io(), 2001).unwrap().at, at(7000), "the time for the end of the stream");
    end_at(closing.io(), 2001);
    assert_eq!(ended(closing), closed_by_us("bye"));
}

/// S7: frames that no limit would take are discarded as any others, whole or cut, and the message under way with them.
#[test]
fn a_frame_of_any_size_is_discarded_once_our_close_is_written() {
    let mut limits = SocketLimits::default();
    (limits.frame_bytes, limits.message_bytes, limits.streamed_bytes) = (100, 100, 100);
    let large = masked(0x82, &vec![7; 70_000]);
    let half = masked(0x01, &[b'a'; 100]);
    let close = masked(0x88, b"\x03\xe8bye");
    let (starts, ends) = (
        [&large[..0], &large[..1], &large[..13], &half, &half[..50], &half[..105]],
        [&large[..], &large[1..], &large[13..], &large, &half[50..], &half[105..]],
    );
    for (start, rest_of_it) in starts.into_iter().zip(ends) {
        // Text that is none, fragments that continue nothing, and pings: their payload is not looked at.
        let more = [masked(0x81, b"\xff"), masked(0x80, b"x"), masked(0x89, b"p"), large.clone()].concat();
        for step in [1, 7, 1000, 1 << 20] {
            let before = start.len() > 13 && start.len() < 1000;
            let mut socket = server(&limits);
            feed(socket.io(), start);
            assert!(!before || socket.event().is_none());
            let mut closing = socket.close(CloseCode::NORMAL.into());
            written(closing.io());
            let bytes = [rest_of_it, &more, &close].concat();
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let taken = feed(closing.io(), &rest[..step.min(rest.len())]);
                assert!(taken > 0, "a state that waits leaves room");
                rest = &rest[taken..];
                closing = if rest.is_empty() { ends_writing(closing) } else { waiting(closing) };
            }
            end(closing.io());
            assert_eq!(ended(closing), closed_by_us("bye"), "{} and {step}", start.len());
        }
    }
    // What is no frame ends it: behind that no Close can be found.
    let mut closing = server(&limits).close(CloseCode::NORMAL.into());
    written(closing.io());
    feed(closing.io(), b"\xc1\x80\0\0\0\0");
    let mut closing = ends_writing(closing);
    end(closing.io());
    assert!(matches!(ended(closing), Outcome::Violated(_)));
}

/// 7.1.1: the client waits for the server's end of the stream, within the limit.
#[test]
fn the_client_waits_for_the_end_of_the_stream() {
    for ends in [true, false] {
        let mut socket = client(&SocketLimits::default());
        feed(socket.io(), &plain(0x88, b"\x03\xe9"));
        assert!(matches!(socket.event(), Some(Event::Close(_))));
        let mut closing = socket.close(CloseCode::NORMAL.into());
        assert_eq!(written(closing.io()).len(), 8, "a masked Close");
        // It does not end its stream: the server does.
        let mut closing = waiting(closing);
        let how = if ends {
            end_at(closing.io(), 1);
            ended(closing)
        } else {
            let deadline = waits(closing.io(), 4999).unwrap();
            assert_eq!((deadline.at, deadline.reason), (at(5000), Limit::CloseTime));
            let mut closing = waiting(closing);
            assert_eq!(look(closing.io(), 5000), Arrived::Something);
            ended(closing)
        };
        let code: Close = CloseCode::GOING_AWAY.into();
        assert_eq!(how, Outcome::Closed { first: End::Theirs, sent: code.clone(), received: code });
    }
}

/// S8: a peer that stays silent after our Close, or goes on sending for ever.
#[test]
fn a_close_that_is_not_answered() {
    for floods in [false, true] {
        let mut closing = client(&SocketLimits::default()).close(Close::EMPTY);
        written(closing.io());
        let mut now = 0;
        let ended = loop {
            if floods {
                feed_at(closing.io(), now, &plain(0x81, b"on and on"));
            } else {
                let _ = look(closing.io(), now);
            }
            closing = match closing.poll() {
                Ending::Wait(closing) => closing,
                other => break other,
            };
            now += 100;
            assert!(now < 60_000, "it goes on for ever");
        };
        let Ending::Done(Outcome::Exceeded(exceeded)) = ended else { panic!("{ended:?}") };
        assert_eq!((exceeded.limit, now), (Limit::CloseTime, if floods { 10_000 } else { 5000 }));
    }
}

/// S9: the ends are told apart.
#[test]
fn ends_are_told_apart() {
    type Is = fn(&Outcome) -> bool;
    let feeds: [(&[u8], bool, Is); 4] = [
        (b"", true, |how| matches!(how, Outcome::EndOfStream)),
        (b"\xff", false, |how| matches!(how, Outcome::Violated(_))),
        (b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", false, |how| {
            matches!(how, Outcome::Exceeded(_))
        }),
        (b"\x88\x80\0\0\0\0", false, |how| matches!(how, Outcome::Closed { first: End::Theirs, .. })),
    ];
    for (bytes, ends, expected) in feeds {
        for looks in [true, false] {
            let mut socket = server(&SocketLimits::default());
            feed(socket.io(), bytes);
            if ends {
                end(socket.io());
            }
            assert!(socket.ready());
            if looks {
                drop(socket.event());
            } else if matches!(bytes, [0x88, ..]) {
                // A Close that nobody has looked at came after ours.
                continue;
            }
            let how = socket.close(CloseCode::NORMAL.into()).into_ended();
            assert!(expected(&how), "{how}");
        }
    }
    let mut closing = server(&SocketLimits::default()).close(CloseCode::NORMAL.into());
    assert_eq!(written(closing.io()).len(), 4);
    assert_eq!(closing.into_ended(), Outcome::Transport);
}

/// S6, S10: a socket answers a ping by itself, before the event is handed out, and its Close answers the peer's with the
/// peer's code, whatever it is given.
#[test]
fn what_the_peer_is_owed_is_written() {
    let mut socket = server(&SocketLimits::default());
    feed(socket.io(), &[masked(0x89, b"p"), masked(0x88, b"\x03\xe8")].concat());
    let Some(Event::Ping(payload)) = socket.event() else { panic!("a ping") };
    assert_eq!(&payload[..], b"p");
    assert_eq!(written(socket.io()), plain(0x8a, b"p"));
    for _ in 0..2 {
        let Some(Event::Close(close)) = socket.event() else { panic!("a Close") };
        assert_eq!(close.code(), Some(CloseCode::NORMAL));
    }
    // 5.5.1: the peer's Close takes no right away.
    socket.writer().text("the last").unwrap();
    let mut closing = socket.close(CloseCode::GOING_AWAY.into());
    assert_eq!(written(closing.io()), [plain(0x81, b"the last"), plain(0x88, b"\x03\xe8")].concat());
    let code: Close = CloseCode::NORMAL.into();
    assert_eq!(
        closing.into_ended(),
        Outcome::Closed { first: End::Theirs, sent: code.clone(), received: code }
    );
}

/// A Close may end a message in pieces: ours, the answer to the peer's, and the one for a failure.
#[test]
fn a_close_in_the_middle_of_a_message() {
    for (bytes, code) in [(&b""[..], 1001_u16), (b"\x88\x82\0\0\0\0\x03\xe8", 1000), (b"\xff", 1002)] {
        let mut within = server(&SocketLimits::default()).begin(Kind::Text);
        within.writer().write("half".into()).unwrap();
        feed(within.io(), bytes);
        if code == 1002 {
            assert!(matches!(cause(&mut within), Cause::Violation(_)));
        } else {
            assert_eq!(within.event().is_some(), code == 1000);
        }
        let mut closing = within.close(CloseCode::GOING_AWAY.into());
        let bytes = written_at(closing.io(), 1);
        assert_eq!(&bytes[..6], plain(0x01, b"half"));
        assert_eq!((bytes[6], bytes.len()), (0x88, 8 + usize::from(bytes[7])));
        assert_eq!(&bytes[8..10], &code.to_be_bytes());
    }
}
