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

use endwell_core::ws::{Cause, Close, SocketLimits};
use endwell_core::ws::{Event, Socket};
use endwell_core::{Arrived, Bound, Deadline, Exceeded, Limit, OutboxLimits};
use endwell_core_tests::io::{at, feed, feed_at, look, pause, take, waits, written, written_at};
use ws_help::{Got, agreed, cause, masked, plain, receive, server, server_with};

/// The limit that is met, if one is.
fn exceeded(socket: &mut Socket) -> Option<Exceeded> {
    match socket.event()? {
        Event::Failed(failure) => match failure {
            Cause::Exceeded(exceeded) => Some(*exceeded),
            other => panic!("{other}"),
        },
        _ => exceeded(socket),
    }
}

fn limit_of(limits: &SocketLimits, bytes: &[u8]) -> Option<Limit> {
    let mut socket = server(limits);
    let mut rest = bytes;
    loop {
        rest = &rest[feed(socket.io(), rest)..];
        if let Some(exceeded) = exceeded(&mut socket) {
            return Some(exceeded.limit);
        }
        if rest.is_empty() {
            return None;
        }
    }
}

fn without_pings() -> SocketLimits {
    let mut limits = SocketLimits::default();
    limits.ping_interval = None;
    limits
}

/// S30: the sum of the fragments is what counts, at the header of the frame that passes it.
#[test]
fn the_message_limit_is_on_the_sum() {
    let mut limits = SocketLimits::default();
    limits.message_bytes = 1000;
    let mut bytes = masked(0x02, &[1; 900]);
    bytes.extend(&masked(0x00, &[1; 900])[..8]);
    for cut in 0..bytes.len() {
        assert_eq!(limit_of(&limits, &bytes[..cut]), None, "{cut}");
    }
    assert_eq!(limit_of(&limits, &bytes), Some(Limit::MessageBytes));
    let (got, answer) = agreed(|| server(&limits), &bytes);
    assert_eq!((got, &answer[2..4]), (vec![Got::Failure(Some(1009))], &1009_u16.to_be_bytes()[..]));
    // Exactly the limit passes, in one frame and in more, also by the quick path for whole frames.
    assert_eq!(limit_of(&limits, &masked(0x82, &[1; 1000])), None);
    assert_eq!(limit_of(&limits, &masked(0x82, &[1; 1001])), Some(Limit::MessageBytes));
    limits.message_bytes = 10;
    assert_eq!(limit_of(&limits, &masked(0x82, &[1; 10])), None);
    assert_eq!(limit_of(&limits, &masked(0x82, &[1; 11])), Some(Limit::MessageBytes));
    limits.message_bytes = 1000;
    limits.frame_bytes = 10;
    assert_eq!(limit_of(&limits, &masked(0x82, &[1; 11])), Some(Limit::FrameBytes));
    limits.frame_bytes = 900;
    assert_eq!(limit_of(&limits, &masked(0x82, &[1; 900])), None);
    assert_eq!(limit_of(&limits, &masked(0x82, &[1; 901])), Some(Limit::FrameBytes));
    limits.frame_bytes = 10;
    let two = [masked(0x02, &[1; 10]), masked(0x80, &[1; 10])].concat();
    assert_eq!(limit_of(&limits, &two), None);
}

/// A length is only a number: no memory is taken for it.
#[test]
fn an_announced_length_is_refused_or_believed_byte_by_byte() {
    let announced = |len: u64| [&[0x82, 0xff][..], &len.to_be_bytes(), &[0; 4]].concat();
    assert_eq!(limit_of(&SocketLimits::default(), &announced(1 << 24)), None);
    assert_eq!(limit_of(&SocketLimits::default(), &announced((1 << 24) + 1)), Some(Limit::FrameBytes));
    assert_eq!(limit_of(&SocketLimits::default(), &announced(u64::MAX >> 1)), Some(Limit::FrameBytes));
}

/// S31: fragments of nothing are counted.
#[test]
fn empty_fragments_are_counted() {
    let mut bytes = masked(0x01, b"");
    for _ in 1..1024 {
        bytes.extend(masked(0x00, b""));
    }
    assert_eq!(limit_of(&SocketLimits::default(), &bytes), None);
    let whole = [&bytes[..bytes.len() - 6], &masked(0x80, b"")].concat();
    assert_eq!(agreed(|| server(&SocketLimits::default()), &whole).0, [Got::Text(String::new())]);
    bytes.extend(masked(0x80, b""));
    assert_eq!(limit_of(&SocketLimits::default(), &bytes), Some(Limit::FragmentCount));
}

/// The least bound on fragments is one: a message in one frame passes, whether it arrives at once or in parts.
#[test]
fn one_frame_is_always_allowed() {
    let mut limits = SocketLimits::default();
    limits.fragments = 0;
    for len in [0, 10, 1000] {
        let content = vec![1; len];
        let (got, _) = agreed(|| server(&limits), &masked(0x82, &content));
        assert_eq!(got, [Got::Binary(content)]);
    }
    let two = [masked(0x02, b"x"), masked(0x80, b"x")].concat();
    assert_eq!(limit_of(&limits, &two), Some(Limit::FragmentCount));
}

/// S31: a million pings from a peer that does not read. What is held stays flat, whether the driver takes no event above
/// the high-water mark or takes each.
#[test]
fn a_million_pings_grow_nothing() {
    for stops in [true, false] {
        let mut socket = server(&SocketLimits::default());
        let ping = masked(0x89, &[7; 125]);
        let (mut sent, mut taken, mut most) = (0_usize, 0, 0);
        while taken < 1_000_000 {
            while sent < 1_000_000 * ping.len() {
                let at = sent % ping.len();
                let fed = feed(socket.io(), &ping[at..]);
                sent += fed;
                if fed < ping.len() - at {
                    break;
                }
            }
            while !stops || !socket.io().is_above_high_water() {
                let Some(event) = socket.event() else { break };
                assert!(matches!(event, Event::Ping(_)));
                taken += 1;
            }
            most = most.max(socket.io().queued() + socket.io().unread());
            // Now and then the peer takes a little.
            take(socket.io(), 50_000);
        }
        let queued = if stops { (64 << 10) + 131 } else { (1 << 20) + 1024 };
        assert!(most <= queued + (128 << 10), "{most}");
    }
}

/// 5.5.3: above even the reserve for control frames only the latest pong is kept, and written when it fits.
#[test]
fn only_the_latest_pong_is_owed() {
    let output = OutboxLimits { bytes: 100, ..OutboxLimits::default() };
    let mut socket = server_with(&SocketLimits::default(), output);
    for i in 0..1000_u16 {
        feed(socket.io(), &masked(0x89, &i.to_be_bytes()));
        assert_eq!(receive(&mut socket), [Got::Ping(i.to_be_bytes().to_vec())]);
    }
    let queued = socket.io().queued();
    assert!(queued <= 100 + 1024, "{queued}");
    let all = written(socket.io());
    assert_eq!(all[queued..], plain(0x8a, &999_u16.to_be_bytes()));
    let before = queued / 4 - 1;
    assert_eq!(all[queued - 4..queued], plain(0x8a, &u16::try_from(before).unwrap().to_be_bytes()));
    assert!(socket.event().is_none() && written(socket.io()).is_empty());
}

/// S27: a message that trickles in, a header that stops, a message that is not continued.
#[test]
fn a_message_makes_progress_or_ends() {
    let limits = without_pings();
    let (silence, total) = (limits.message_pace.silence.unwrap(), limits.message_pace.total.unwrap());
    for (bytes, bound, seconds) in [
        (masked(0x82, &vec![0; 60_000]), Bound::Total(total), 300),
        (masked(0x89, b"x")[..3].to_vec(), Bound::Silence(silence), 60),
        (masked(0x02, b"x"), Bound::Silence(silence), 66),
    ] {
        let mut socket = server(&limits);
        let mut now = 0;
        let exceeded = loop {
            if let Some(byte) = bytes.get(usize::try_from(now).unwrap() / 1000) {
                feed_at(socket.io(), now, &[*byte]);
            }
            assert!(socket.event().is_none());
            if let Arrived::Something = look(socket.io(), now) {
                let Cause::Exceeded(exceeded) = cause(&mut socket) else { panic!("a limit") };
                break exceeded;
            }
            now += 1000;
            assert!(now < 1_000_000, "it waits for ever");
        };
        assert_eq!((exceeded.limit, exceeded.bound, now), (Limit::MessageProgress, bound, seconds * 1000));
        assert_eq!(&written(socket.close(Close::EMPTY).io())[2..4], &1008_u16.to_be_bytes());
    }
}

/// A message that comes steadily takes the time that it needs.
#[test]
fn the_time_for_a_whole_message_grows_with_what_came() {
    let limits = without_pings();
    let total = limits.message_pace.total.unwrap();
    let rate = usize::try_from(total.bytes_per_second).unwrap();
    for (rate, is_taken) in [(rate, true), (rate / 2, false)] {
        let mut socket = server(&limits);
        let message = masked(0x82, &vec![0; 600 * rate]);
        let ended = message.chunks(rate).zip(0..).find_map(|(piece, second)| {
            feed_at(socket.io(), second * 1000, piece);
            if !socket.ready() {
                let _ = look(socket.io(), second * 1000);
            }
            Some((!matches!(socket.event()?, Event::Failed(_)), second))
        });
        assert_eq!(ended, Some((is_taken, if is_taken { 600 } else { 599 })));
    }
}

/// Time that the application takes within a message is not the peer's: what was waited before it counts.
#[test]
fn a_pause_is_not_the_peers_silence() {
    let mut socket = server(&without_pings());
    feed(socket.io(), &masked(0x81, b"x")[..1]);
    let mut look = |millis| {
        let deadline = waits(socket.io(), millis);
        pause(socket.io(), millis + 4000);
        assert!(socket.event().is_none());
        deadline
    };
    let ends = |millis| Some(Deadline { at: at(millis), reason: Limit::MessageProgress });
    assert_eq!([look(0), look(100_000), look(200_000)], [ends(60_000), ends(156_000), ends(252_000)]);
    assert_eq!(self::look(socket.io(), 252_000), Arrived::Nothing(ends(300_000)));
    assert_eq!(self::look(socket.io(), 300_000), Arrived::Something);
    assert!(matches!(cause(&mut socket), Cause::Exceeded(_)));
}

/// A stream of small messages that is always cut within one is no slow message.
#[test]
fn the_clock_of_progress_is_that_of_one_message() {
    let mut socket = server(&without_pings());
    let message = masked(0x81, b"x");
    feed(socket.io(), &message[..1]);
    for second in 0..100 {
        assert!(socket.event().is_none());
        let deadline = waits(socket.io(), second * 1000).unwrap();
        assert_eq!((deadline.reason, deadline.at), (Limit::MessageProgress, at(second * 1000 + 60_000)));
        feed_at(socket.io(), second * 1000, &[&message[1..], &message[..1]].concat());
        assert!(matches!(socket.event(), Some(Event::Text(_))));
    }
}

/// S36: the application was slow, and a healthy peer's pong lies unread. And a peer that is gone: one timeout.
#[test]
fn keep_alive_judges_only_what_was_read() {
    for healthy in [true, false] {
        let mut socket = server(&SocketLimits::default());
        assert_eq!(waits(socket.io(), 0).unwrap().reason, Limit::PingInterval);
        assert_eq!(look(socket.io(), 18_000), Arrived::Something);
        assert!(socket.event().is_none());
        assert_eq!(written_at(socket.io(), 18_000), plain(0x89, b""));
        assert_eq!(waits(socket.io(), 18_000).unwrap().reason, Limit::PongTime);
        // It sleeps for three times the limit.
        assert!(socket.event().is_none());
        if healthy {
            feed_at(socket.io(), 78_000, &masked(0x8a, b""));
            assert!(matches!(socket.event(), Some(Event::Pong(_))));
            assert_eq!(look(socket.io(), 78_000), Arrived::Something);
            assert!(socket.event().is_none());
            assert_eq!(written(socket.io()), plain(0x89, b""), "the next ping is due");
        } else {
            assert_eq!(look(socket.io(), 78_000), Arrived::Something);
            for _ in 0..2 {
                let Cause::Exceeded(exceeded) = cause(&mut socket) else { panic!("a limit") };
                assert_eq!(exceeded.limit, Limit::PongTime);
            }
            assert_eq!(look(socket.io(), 100_000), Arrived::Nothing(None), "it is no news twice");
            assert_eq!(&written(socket.close(Close::EMPTY).io())[2..4], &1008_u16.to_be_bytes());
        }
    }
}

/// A full inbox is not an end: whatever waits leaves room.
#[test]
fn the_smallest_inbox_takes_every_frame() {
    let mut limits = SocketLimits::default();
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
    let mut socket = server(&SocketLimits::default());
    for _ in 0..2 {
        for text in ["short", &long] {
            let bytes = masked(0x81, text.as_bytes());
            let mut rest = &bytes[..];
            let taken = loop {
                rest = &rest[feed(socket.io(), rest)..];
                match socket.event() {
                    Some(Event::Text(text)) => break text.take(),
                    Some(other) => panic!("{other:?}"),
                    None => {}
                }
            };
            assert_eq!(taken, text.as_bytes());
        }
        feed(socket.io(), &masked(0x81, b"gone"));
        assert!(matches!(socket.event(), Some(Event::Text(_))));
    }
}
