//! The bounds: on what comes, on what is owed, on time.
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

use bytes::Buf;
use endwell_core::ws::{Cause, Event, Limits, SessionEvent, WebSocket, Writing};
use endwell_core::{Bound, Limit, Outbox, OutboxLimits};
use ws_help::{Got, agreed, at, masked, plain, receive, server, written};

fn limit_of(limits: &Limits, bytes: &[u8]) -> Option<Limit> {
    let mut out = Outbox::default();
    let mut session = server(limits).session();
    let mut rest = bytes;
    loop {
        rest = &rest[session.inbox().feed(rest)..];
        while let Some(ready) = session.poll(&mut out) {
            if let Err(Cause::Exceeded(exceeded)) = session.event(ready, &mut out) {
                return Some(exceeded.limit);
            }
        }
        if rest.is_empty() {
            return None;
        }
    }
}

/// S30: the sum of the fragments is what counts, at the header of the frame that passes it.
#[test]
fn the_message_limit_is_on_the_sum() {
    let mut limits = Limits::default();
    limits.message_bytes = 1000;
    let mut bytes = masked(0x02, &[1; 900]);
    bytes.extend(&masked(0x00, &[1; 900])[..8]);
    for cut in 0..bytes.len() {
        assert_eq!(limit_of(&limits, &bytes[..cut]), None, "{cut}");
    }
    assert_eq!(limit_of(&limits, &bytes), Some(Limit::MessageBytes));
    let (got, answer) = agreed(|| server(&limits), &bytes);
    assert_eq!((got, &answer[2..4]), (vec![Got::Failure(Some(1009))], &1009_u16.to_be_bytes()[..]));
    // Exactly the limit passes, in one frame and in more, also by the path for small frames.
    assert_eq!(limit_of(&limits, &masked(0x82, &[1; 1000])), None);
    assert_eq!(limit_of(&limits, &masked(0x82, &[1; 1001])), Some(Limit::MessageBytes));
    limits.message_bytes = 10;
    assert_eq!(limit_of(&limits, &masked(0x82, &[1; 10])), None);
    assert_eq!(limit_of(&limits, &masked(0x82, &[1; 11])), Some(Limit::MessageBytes));
    limits.message_bytes = 1000;
    limits.frame_bytes = 10;
    assert_eq!(limit_of(&limits, &masked(0x82, &[1; 11])), Some(Limit::FrameBytes));
    let two = [masked(0x02, &[1; 10]), masked(0x80, &[1; 10])].concat();
    assert_eq!(limit_of(&limits, &two), None);
}

/// A length is only a number: no memory is taken for it.
#[test]
fn an_announced_length_is_refused_or_believed_byte_by_byte() {
    let announced = |len: u64| [&[0x82, 0xff][..], &len.to_be_bytes(), &[0; 4]].concat();
    assert_eq!(limit_of(&Limits::default(), &announced(1 << 24)), None);
    assert_eq!(limit_of(&Limits::default(), &announced((1 << 24) + 1)), Some(Limit::FrameBytes));
    assert_eq!(limit_of(&Limits::default(), &announced(u64::MAX >> 1)), Some(Limit::FrameBytes));
}

/// S31: fragments of nothing are counted.
#[test]
fn empty_fragments_are_counted() {
    let mut bytes = masked(0x01, b"");
    for _ in 1..1024 {
        bytes.extend(masked(0x00, b""));
    }
    assert_eq!(limit_of(&Limits::default(), &bytes), None);
    let whole = [&bytes[..bytes.len() - 6], &masked(0x80, b"")].concat();
    assert_eq!(agreed(|| server(&Limits::default()), &whole).0, [Got::Text(String::new())]);
    bytes.extend(masked(0x80, b""));
    assert_eq!(limit_of(&Limits::default(), &bytes), Some(Limit::FragmentCount));
}

/// S31: a million pings from a peer that does not read. The driver takes no event above the high-water mark, so
/// what is held stays flat.
#[test]
fn a_million_pings_grow_nothing() {
    let mut out = Outbox::default();
    let mut session = server(&Limits::default()).session();
    let ping = masked(0x89, &[7; 125]);
    let (mut sent, mut answered, mut most) = (0_usize, 0, 0);
    while answered < 1_000_000 {
        while sent < 1_000_000 * ping.len() {
            let at = sent % ping.len();
            let taken = session.inbox().feed(&ping[at..]);
            sent += taken;
            if taken < ping.len() - at {
                break;
            }
        }
        while !out.is_above_high_water() {
            let Some(ready) = session.poll(&mut out) else { break };
            assert!(matches!(session.event(ready, &mut out), Ok(SessionEvent::Ping(_))));
            answered += 1;
        }
        most = most.max(out.len() + session.inbox().len());
        // Now and then the peer takes a little.
        let count = out.len().min(50_000);
        out.advance(count);
    }
    assert!(most <= (64 << 10) + 131 + (128 << 10), "{most}");
}

/// 5.5.3: above even the reserve for control frames only the latest pong is kept, and written when it fits.
#[test]
fn only_the_latest_pong_is_owed() {
    let limits = OutboxLimits { bytes: 100, ..OutboxLimits::default() };
    let mut out = Outbox::new(limits);
    let WebSocket { mut recv, send, .. } = server(&Limits::default());
    let mut send = Some(send);
    for i in 0..1000_u16 {
        recv.inbox().feed(&masked(0x89, &i.to_be_bytes()));
        receive(&mut recv, &mut send, &mut out);
    }
    assert!(out.len() <= 100 + 1024, "{}", out.len());
    let before = written(&mut out);
    let mut send = send.unwrap();
    send.settle(&mut out);
    send.settle(&mut out);
    assert_eq!(written(&mut out), plain(0x8a, &999_u16.to_be_bytes()));
    assert!(!before.ends_with(&999_u16.to_be_bytes()));
}

/// S27: a message that trickles in, a header that stops, a message that is not continued.
#[test]
fn a_message_makes_progress_or_ends() {
    let mut limits = Limits::default();
    limits.ping_interval = None;
    let (silence, total) = (limits.message_pace.silence.unwrap(), limits.message_pace.total.unwrap());
    for (bytes, bound, seconds) in [
        (masked(0x82, &vec![0; 60_000]), Bound::Total(total), 300),
        (masked(0x89, b"x")[..3].to_vec(), Bound::Silence(silence), 60),
        (masked(0x02, b"x"), Bound::Silence(silence), 66),
    ] {
        let mut out = Outbox::default();
        let mut session = server(&limits).session();
        let mut now = 0;
        let exceeded = 'ended: loop {
            if let Some(&byte) = bytes.get(usize::try_from(now).unwrap() / 1000) {
                session.inbox().feed(&[byte]);
            }
            for _ in 0..2 {
                if let Some(ready) = session.poll(&mut out) {
                    match session.event(ready, &mut out) {
                        Err(Cause::Exceeded(exceeded)) => break 'ended exceeded,
                        other => panic!("{other:?}"),
                    }
                }
                session.inbox().dry(at(now));
            }
            now += 1000;
        };
        assert_eq!((exceeded.limit, exceeded.bound, now), (Limit::MessageProgress, bound, seconds * 1000));
    }
}

/// A message that comes steadily takes the time that it needs.
#[test]
fn the_time_for_a_whole_message_grows_with_what_came() {
    let mut limits = Limits::default();
    limits.ping_interval = None;
    let total = limits.message_pace.total.unwrap();
    let rate = usize::try_from(total.bytes_per_second).unwrap();
    for (rate, is_taken) in [(rate, true), (rate / 2, false)] {
        let mut out = Outbox::default();
        let mut session = server(&limits).session();
        let message = masked(0x82, &vec![0; 600 * rate]);
        let ended = message.chunks(rate).zip(0..).find_map(|(piece, second)| {
            session.inbox().feed(piece);
            let mut ready = session.poll(&mut out);
            if ready.is_none() {
                session.inbox().dry(at(second * 1000));
                ready = session.poll(&mut out);
            }
            Some((session.event(ready?, &mut out).is_ok(), second))
        });
        assert_eq!(ended, Some((is_taken, if is_taken { 600 } else { 599 })));
    }
}

/// Time that the application takes within a message is not the peer's: what was waited before it counts.
#[test]
fn a_pause_is_not_the_peers_silence() {
    let mut limits = Limits::default();
    limits.ping_interval = None;
    let mut out = Outbox::default();
    let mut session = server(&limits).session();
    session.inbox().feed(&masked(0x81, b"x")[..1]);
    let mut look = |millisecond| {
        session.inbox().dry(at(millisecond));
        assert!(session.poll(&mut out).is_none());
        let deadline = session.deadline().unwrap().at;
        session.pause(at(millisecond + 4000));
        assert_eq!(session.deadline(), None);
        deadline
    };
    assert_eq!([look(0), look(100_000), look(200_000)], [at(60_000), at(156_000), at(252_000)]);
}

/// A stream of small messages that is always cut within one is no slow message.
#[test]
fn the_clock_of_progress_is_that_of_one_message() {
    let mut limits = Limits::default();
    limits.ping_interval = None;
    let mut out = Outbox::default();
    let mut session = server(&limits).session();
    let message = masked(0x81, b"x");
    session.inbox().feed(&message[..1]);
    for second in 0..100 {
        assert!(session.poll(&mut out).is_none());
        session.inbox().dry(at(second * 1000));
        assert!(session.poll(&mut out).is_none(), "{second}");
        session.inbox().feed(&[&message[1..], &message[..1]].concat());
        let ready = session.poll(&mut out).unwrap();
        assert!(matches!(session.event(ready, &mut out), Ok(SessionEvent::Text(_))));
    }
}

/// S36: the application was slow, and a healthy peer's pong lies unread. And a peer that is gone: one timeout.
#[test]
fn keep_alive_judges_only_what_was_read() {
    for healthy in [true, false] {
        let mut out = Outbox::default();
        let mut session = server(&Limits::default()).session();
        session.inbox().dry(at(0));
        assert!(session.poll(&mut out).is_none());
        assert_eq!(session.deadline().unwrap().reason, Limit::PingInterval);
        session.inbox().dry(at(18_000));
        assert!(session.poll(&mut out).is_none());
        assert_eq!(written(&mut out), plain(0x89, b""));
        assert_eq!(session.deadline().unwrap().reason, Limit::PongTime);
        // It sleeps for three times the limit.
        assert!(session.poll(&mut out).is_none());
        if healthy {
            session.inbox().feed(&masked(0x8a, b""));
            let ready = session.poll(&mut out).unwrap();
            assert!(matches!(session.event(ready, &mut out), Ok(SessionEvent::Pong(_))));
            session.inbox().dry(at(78_000));
            assert!(session.poll(&mut out).is_none());
            assert_eq!(written(&mut out), plain(0x89, b""), "the next ping is due");
        } else {
            session.inbox().dry(at(78_000));
            let ready = session.poll(&mut out).unwrap();
            let Err(Cause::Exceeded(exceeded)) = session.event(ready, &mut out) else { panic!("a limit") };
            assert_eq!(exceeded.limit, Limit::PongTime);
            assert!(matches!(session.writing(), Writing::Closed));
            assert_eq!(&written(&mut out)[2..4], &1008_u16.to_be_bytes());
            assert!(session.poll(&mut out).is_none(), "once");
        }
    }
}

/// A full inbox is not an end: whatever waits leaves room.
#[test]
fn the_smallest_inbox_takes_every_frame() {
    let mut limits = Limits::default();
    limits.received_bytes = 0;
    let bytes =
        [masked(0x82, &vec![5; 70_000]), masked(0x89, &[6; 125]), masked(0x81, &[b'a'; 300])].concat();
    let (got, _) = agreed(|| server(&limits), &bytes);
    assert_eq!(got.len(), 3);
}

/// What is taken of an event is its own; what is not taken is gone with it.
#[test]
fn taking_an_event() {
    let long = "x".repeat(200_000);
    let WebSocket { mut recv, .. } = server(&Limits::default());
    for _ in 0..2 {
        for text in ["short", &long] {
            let bytes = masked(0x81, text.as_bytes());
            let mut rest = &bytes[..];
            let taken = loop {
                rest = &rest[recv.inbox().feed(rest)..];
                if let Some(ready) = recv.poll() {
                    let Ok(Event::Text(text)) = recv.event(ready) else { panic!("text") };
                    break text.take();
                }
            };
            assert_eq!(taken, text.as_bytes());
        }
    }
}
