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

use endwell_core::ws::{
    Cause, Close, CloseCode, End, Ended, Event, Limits, SessionEvent, WebSocket, Writing,
};
use endwell_core::{Limit, Outbox, Step};
use ws_help::{Got, agreed, at, client, masked, plain, server, written};

fn at_server(bytes: &[u8]) -> (Vec<Got>, Vec<u8>) {
    agreed(|| server(&Limits::default()), bytes)
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

fn ended(step: Step<endwell_core::ws::Closing, Ended>) -> Ended {
    match step {
        Step::Done(ended) => ended,
        Step::Wait(state) => panic!("it waits: {state:?}"),
    }
}

fn waits(step: Step<endwell_core::ws::Closing, Ended>) -> endwell_core::ws::Closing {
    match step {
        Step::Wait(state) => state,
        Step::Done(ended) => panic!("it ended: {ended}"),
    }
}

/// 7.1.1: the server closes first with its Close, then TCP; the data that still came is thrown away.
#[test]
fn we_close_first() {
    let mut out = Outbox::default();
    let WebSocket { recv, send, .. } = server(&Limits::default());
    let sent = send.close(CloseCode::NORMAL.into(), &mut out);
    let mut closing = waits(recv.closing(sent).poll(at(0), &out));
    assert!(
        !closing.ends_writing(&out) && closing.deadline().is_none(),
        "the time starts when all is written"
    );
    assert_eq!(written(&mut out), plain(0x88, b"\x03\xe8"));
    closing.inbox().feed(&[masked(0x81, b"late"), masked(0x89, b"ping")].concat());
    closing.inbox().dry(at(1000));
    let mut closing = waits(closing.poll(at(1000), &out));
    assert_eq!(closing.deadline().unwrap().at, at(6000));
    assert!(!closing.ends_writing(&out));
    closing.inbox().feed(&masked(0x88, b"\x03\xe8bye"));
    let mut closing = waits(closing.poll(at(2000), &out));
    assert!(closing.ends_writing(&out), "the server ends the stream");
    assert!(out.is_empty(), "nothing follows our Close");
    closing.inbox().end();
    let ended = ended(closing.poll(at(2001), &out));
    let received = Close::new(CloseCode::NORMAL, "bye").unwrap();
    assert_eq!(ended, Ended::Closed { first: End::Ours, sent: CloseCode::NORMAL.into(), received });
}

/// S7: frames that no limit would take are discarded as any others, whole or cut, and the message under way with them.
#[test]
fn a_frame_of_any_size_is_discarded_once_our_close_is_written() {
    let mut limits = Limits::default();
    (limits.frame_bytes, limits.message_bytes, limits.streamed_bytes) = (100, 100, 100);
    let large = masked(0x82, &vec![7; 70_000]);
    let half = masked(0x01, &[b'a'; 100]);
    let close = masked(0x88, b"\x03\xe8bye");
    let (starts, ends) = (
        [&large[..0], &large[..1], &large[..13], &half, &half[..50], &half[..105]],
        [&large[..], &large[1..], &large[13..], &large, &half[50..], &half[105..]],
    );
    for (start, end) in starts.into_iter().zip(ends) {
        // Text that is none, fragments that continue nothing, and pings: their payload is not looked at.
        let more = [masked(0x81, b"\xff"), masked(0x80, b"x"), masked(0x89, b"p"), large.clone()].concat();
        for step in [1, 7, 1000, 1 << 20] {
            let (mut out, before) = (Outbox::default(), start.len() > 13 && start.len() < 1000);
            let WebSocket { mut recv, send, .. } = server(&limits);
            recv.inbox().feed(start);
            assert!(!before || recv.poll().is_none());
            let mut closing = recv.closing(send.close(CloseCode::NORMAL.into(), &mut out));
            written(&mut out);
            for piece in [end, &more, &close].concat().chunks(step) {
                let mut rest = piece;
                while !rest.is_empty() {
                    let taken = closing.inbox().feed(rest);
                    assert!(taken > 0, "a poll that waits leaves room");
                    rest = &rest[taken..];
                    closing = waits(closing.poll(at(0), &out));
                }
            }
            closing.inbox().end();
            let received = Close::new(CloseCode::NORMAL, "bye").unwrap();
            let expected = Ended::Closed { first: End::Ours, sent: CloseCode::NORMAL.into(), received };
            assert_eq!(ended(closing.poll(at(0), &out)), expected, "{} and {step}", start.len());
        }
    }
    // What is no frame ends it: behind that no Close can be found.
    let mut out = Outbox::default();
    let WebSocket { recv, send, .. } = server(&limits);
    let mut closing = recv.closing(send.close(CloseCode::NORMAL.into(), &mut out));
    written(&mut out);
    closing.inbox().feed(b"\xc1\x80\0\0\0\0");
    let mut closing = waits(closing.poll(at(0), &out));
    closing.inbox().end();
    assert!(matches!(ended(closing.poll(at(0), &out)), Ended::Violated(_)));
}

/// 7.1.1: the client waits for the server's end of the stream, within the limit.
#[test]
fn the_client_waits_for_the_end_of_the_stream() {
    for ends in [true, false] {
        let mut out = Outbox::default();
        let WebSocket { mut recv, send, .. } = client(&Limits::default());
        recv.inbox().feed(&plain(0x88, b"\x03\xe9"));
        let ready = recv.poll().unwrap();
        let Ok(Event::Close(close)) = recv.event(ready) else { panic!("a Close") };
        let sent = send.answer(close, &mut out);
        let _ = written(&mut out);
        let mut closing = waits(recv.closing(sent).poll(at(0), &out));
        assert!(!closing.ends_writing(&out), "the server does");
        let how = if ends {
            closing.inbox().end();
            ended(closing.poll(at(1), &out))
        } else {
            closing.inbox().dry(at(4999));
            let mut closing = waits(closing.poll(at(4999), &out));
            closing.inbox().dry(at(5000));
            ended(closing.poll(at(5000), &out))
        };
        let code: Close = CloseCode::GOING_AWAY.into();
        assert_eq!(how, Ended::Closed { first: End::Theirs, sent: code.clone(), received: code });
    }
}

/// S8: a peer that stays silent after our Close, or goes on sending for ever.
#[test]
fn a_close_that_is_not_answered() {
    for floods in [false, true] {
        let mut out = Outbox::default();
        let WebSocket { recv, send, .. } = client(&Limits::default());
        let sent = send.close(Close::EMPTY, &mut out);
        let _ = written(&mut out);
        let mut closing = recv.closing(sent);
        let mut now = 0;
        let how = loop {
            if floods {
                closing.inbox().feed(&plain(0x81, b"on and on"));
            } else {
                closing.inbox().dry(at(now));
            }
            match closing.poll(at(now), &out) {
                Step::Wait(state) => closing = state,
                Step::Done(how) => break how,
            }
            now += 100;
        };
        let Ended::Exceeded(exceeded) = how else { panic!("{how}") };
        assert_eq!((exceeded.limit, now), (Limit::CloseTime, if floods { 10_000 } else { 5000 }));
    }
}

/// S9: the ends are told apart.
#[test]
fn ends_are_told_apart() {
    type Is = fn(&Ended) -> bool;
    let feeds: [(&[u8], bool, Is); 4] = [
        (b"", true, |how| matches!(how, Ended::EndOfStream)),
        (b"\xff", false, |how| matches!(how, Ended::Violated(_))),
        (b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", false, |how| matches!(how, Ended::Exceeded(_))),
        (b"\x88\x80\0\0\0\0", false, |how| matches!(how, Ended::Closed { first: End::Theirs, .. })),
    ];
    for (bytes, ends, expected) in feeds {
        let mut out = Outbox::default();
        let mut session = server(&Limits::default()).session();
        session.inbox().feed(bytes);
        if ends {
            session.inbox().end();
        }
        let ready = session.poll(&mut out).unwrap();
        let _event = session.event(ready, &mut out);
        let how = session.close(CloseCode::NORMAL.into(), &mut out).cut();
        assert!(expected(&how), "{how}");
    }
    let mut out = Outbox::default();
    let closing = server(&Limits::default()).session().close(CloseCode::NORMAL.into(), &mut out);
    assert_eq!(closing.cut(), Ended::Transport);
    assert_eq!(out.len(), 4);
}

/// S6, S10: a session answers by itself, before the event is handed out, and then has nothing to write with.
#[test]
fn a_session_answers_by_itself() {
    let mut out = Outbox::default();
    let mut session = server(&Limits::default()).session();
    session.inbox().feed(&[masked(0x89, b"p"), masked(0x88, b"\x03\xe8")].concat());
    let ready = session.poll(&mut out).unwrap();
    let Ok(SessionEvent::Ping(payload)) = session.event(ready, &mut out) else { panic!("a ping") };
    assert_eq!(&payload[..], b"p");
    assert_eq!(written(&mut out), plain(0x8a, b"p"));
    assert!(matches!(session.writing(), Writing::Idle(_)));
    let ready = session.poll(&mut out).unwrap();
    let Ok(SessionEvent::Close(close)) = session.event(ready, &mut out) else { panic!("a Close") };
    assert_eq!(close.code(), Some(CloseCode::NORMAL));
    assert_eq!(written(&mut out), plain(0x88, b"\x03\xe8"));
    assert!(matches!(session.writing(), Writing::Closed));
    assert!(matches!(session.start(endwell_core::ws::Kind::Text), Writing::Closed));
    let closing = session.close(CloseCode::GOING_AWAY.into(), &mut out);
    assert!(out.is_empty(), "one Close");
    assert!(matches!(closing.cut(), Ended::Closed { first: End::Theirs, .. }));
}

/// A Close may end a message in pieces; the same holds for a failure and for the peer's Close.
#[test]
fn a_close_in_the_middle_of_a_message() {
    let mut out = Outbox::default();
    let mut session = server(&Limits::default()).session();
    let Writing::Streaming(pieces) = session.start(endwell_core::ws::Kind::Text) else { panic!("begun") };
    pieces.write("half".into(), &mut out).unwrap();
    session.inbox().feed(b"\xff");
    let ready = session.poll(&mut out).unwrap();
    assert!(matches!(session.event(ready, &mut out), Err(Cause::Violation(_))));
    let bytes = written(&mut out);
    assert_eq!(&bytes[..6], plain(0x01, b"half"));
    assert_eq!((bytes[6], bytes.len()), (0x88, 8 + usize::from(bytes[7])));
}
