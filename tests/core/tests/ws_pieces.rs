//! Receiving a message in pieces: of any size, as it arrives.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    clippy::std_instead_of_core,
    clippy::decimal_bitwise_operands,
    reason = "a test may panic, and reads like the wire"
)]

mod ws_help;

use core::time::Duration;
use endwell_core::ws::{Cause, Close, Kind, SocketLimits};
use endwell_core::ws::{Event, Piece, Socket};
use endwell_core::{Arrived, Limit, Pace};
use endwell_core_tests::io::{feed, feed_at, look, waits, written};
use ws_help::{
    Got, client, frame, masked, plain, put_together, receive, receive_pieces, run_cut, server, text,
};

/// The next part of a message, which must be there.
fn next(socket: &mut Socket) -> Piece<'_> {
    socket.piece().expect("a piece is there")
}

/// Why it failed, if that comes before there is nothing more.
fn failed(socket: &mut Socket) -> Option<Cause> {
    match socket.piece()? {
        Piece::Failed(failure) => Some(failure.clone()),
        _ => failed(socket),
    }
}

fn text_of(piece: Piece<'_>) -> String {
    match piece {
        Piece::Text(text) => text.into_string(),
        other => panic!("{other:?}"),
    }
}

/// A piece is there as soon as its bytes are, and at most three of them wait for the rest of a character.
#[test]
fn pieces_come_as_their_bytes_do() {
    let content = "aß水🎉".repeat(50);
    let at_once = masked(0x81, content.as_bytes());
    let (one, two) = content.as_bytes().split_at(251);
    let fragments = [masked(0x01, one), masked(0x80, two)].concat();
    for (bytes, headers) in [(at_once, 8), (fragments, 16)] {
        for step in [1, 2, 3, 7, 100] {
            let mut socket = server(&SocketLimits::default());
            let (mut message, mut fed) = (None, 0);
            for piece in bytes.chunks(step) {
                fed += feed(socket.io(), piece);
                let got = receive_pieces(&mut socket, &mut message);
                match &message {
                    Some((_, all)) => assert!(all.len() + 3 + headers >= fed, "{} of {fed}", all.len()),
                    None if fed == bytes.len() => assert_eq!(got, [text(&content)]),
                    None => assert!(fed < 8, "the start comes with the header"),
                }
            }
        }
    }
}

/// Control frames come between the pieces and are answered, and nothing of a character is lost to them.
#[test]
fn control_frames_between_pieces() {
    let euro = "€".as_bytes();
    let bytes = [
        masked(0x01, &euro[..1]),
        masked(0x89, b"one"),
        masked(0x00, &euro[1..2]),
        masked(0x00, b""),
        masked(0x8a, b"two"),
        masked(0x80, &[&euro[2..], b"b"].concat()),
        masked(0x82, b""),
        masked(0x88, b""),
    ]
    .concat();
    for step in 1..=bytes.len() {
        let mut socket = server(&SocketLimits::default());
        let (mut message, mut got) = (None, vec![]);
        for piece in bytes.chunks(step) {
            feed(socket.io(), piece);
            got.extend(receive_pieces(&mut socket, &mut message));
        }
        let expected = [
            Got::Ping(b"one".to_vec()),
            Got::Pong(b"two".to_vec()),
            text("€b"),
            Got::Binary(vec![]),
            Got::Close(None, String::new()),
        ];
        assert_eq!(got, expected, "{step}");
        assert!(matches!(socket.piece(), Some(Piece::Close(_))));
        assert!(matches!(socket.event(), Some(Event::Close(_))));
        let mut closing = socket.close(Close::EMPTY);
        assert_eq!(written(closing.io()), [plain(0x8a, b"one"), plain(0x88, b"")].concat());
    }
}

/// What fails in a piece is told to the peer.
#[test]
fn the_peer_is_told_what_fails() {
    let mut socket = server(&SocketLimits::default());
    feed(socket.io(), &[masked(0x01, b"ab\xffcd"), masked(0x88, b"")].concat());
    assert!(matches!(next(&mut socket), Piece::Start(Kind::Text)));
    assert!(matches!(failed(&mut socket), Some(Cause::NotText(_))));
    // Again and again, however it is asked for.
    assert!(matches!(failed(&mut socket), Some(Cause::NotText(_))));
    assert!(matches!(ws_help::cause(&mut socket), Cause::NotText(_)));
    let told = written(socket.close(Close::EMPTY).io());
    assert_eq!((&told[2..4], told.len()), (&1007_u16.to_be_bytes()[..], 2 + usize::from(told[1])));
}

/// Whoever asks for whole messages until a large one has begun gets what was gathered first, and then the rest,
/// though the whole would be too large.
#[test]
fn what_was_gathered_is_the_first_piece() {
    let mut limits = SocketLimits::default();
    limits.message_bytes = 30;
    let mut socket = server(&limits);
    feed(socket.io(), &masked(0x01, "grüße".as_bytes())[..6 + 3]);
    assert!(socket.event().is_none());
    assert!(matches!(next(&mut socket), Piece::Start(Kind::Text)));
    assert_eq!(text_of(next(&mut socket)), "gr");
    assert!(socket.piece().is_none());
    feed(socket.io(), &masked(0x01, "grüße".as_bytes())[6 + 3..]);
    feed(socket.io(), &masked(0x80, &[b'x'; 60]));
    assert_eq!(text_of(next(&mut socket)), "ü");
    assert_eq!(text_of(next(&mut socket)), "ße");
    assert_eq!(text_of(next(&mut socket)), "x".repeat(60));
    assert!(matches!(next(&mut socket), Piece::End));
    // Also if it was whole already.
    for _ in 0..2 {
        feed(socket.io(), &[masked(0x02, b"a"), masked(0x80, b"b")].concat());
        assert!(socket.ready());
        assert!(matches!(next(&mut socket), Piece::Start(Kind::Binary)));
        assert!(matches!(next(&mut socket), Piece::Binary(data) if *data == *b"ab"));
        assert!(matches!(next(&mut socket), Piece::End));
        assert!(socket.piece().is_none());
    }
}

/// The rest of a message that nobody takes is not looked at, and the next message is there.
#[test]
fn the_rest_is_skipped() {
    let long = [masked(0x01, &[b'x'; 9000]), masked(0x89, b"ping"), masked(0x80, b"no text: \xff")].concat();
    let bytes = [long, masked(0x82, b"next")].concat();
    for (step, taken) in [(1000, 0), (1000, 1), (1000, 5), (9000, 1), (usize::MAX, 0), (usize::MAX, 2)] {
        let mut socket = server(&SocketLimits::default());
        let (mut left, mut all) = (taken, vec![]);
        for piece in bytes.chunks(step) {
            feed(socket.io(), piece);
            while left > 0 && socket.piece().is_some() {
                left -= 1;
            }
            if left == 0 && taken > 0 {
                all.extend(receive(&mut socket));
            }
        }
        if taken == 0 {
            // Begun, and nothing of it was taken.
            assert!(matches!(next(&mut socket), Piece::Start(Kind::Text)));
            all.extend(receive(&mut socket));
        }
        assert_eq!(all, [Got::Ping(b"ping".to_vec()), Got::Binary(b"next".to_vec())], "{step}, {taken}");
        assert_eq!(written(socket.io()), plain(0x8a, b"ping"));
    }
}

/// Asking for a whole message skips the rest wherever the message is: in a frame, or between two.
#[test]
fn the_rest_is_skipped_from_anywhere() {
    let first = [masked(0x01, b"ab"), masked(0x80, b"cd")].concat();
    let bytes = [&first[..], &masked(0x81, b"next")].concat();
    for cut in 6..first.len() {
        let (before, behind) = bytes.split_at(cut);
        let mut socket = server(&SocketLimits::default());
        feed(socket.io(), before);
        assert!(matches!(next(&mut socket), Piece::Start(Kind::Text)));
        while socket.piece().is_some() {}
        assert!(!socket.ready(), "{cut}");
        feed(socket.io(), behind);
        assert_eq!(receive_pieces(&mut socket, &mut None), [text("next")], "{cut}");
    }
}

/// What is asked of pieces by a limit, if one is met: the limit and the code.
fn limit_of(limits: &SocketLimits, bytes: &[u8]) -> Option<(Limit, u16)> {
    let mut socket = server(limits);
    let mut rest = bytes;
    loop {
        rest = &rest[feed(socket.io(), rest)..];
        if let Some(cause) = failed(&mut socket) {
            let Cause::Exceeded(exceeded) = &cause else { panic!("{cause}") };
            return Some((exceeded.limit, cause.code()?.number()));
        }
        if rest.is_empty() {
            return None;
        }
    }
}

/// The bounds on what is held are not for what is not held; the one on the sum is met at the header that passes it.
#[test]
fn a_message_in_pieces_has_a_bound_of_its_own() {
    let mut limits = SocketLimits::default();
    limits.frame_bytes = 10;
    limits.message_bytes = 10;
    limits.streamed_bytes = 1000;
    let mut bytes = masked(0x02, &[1; 900]);
    bytes.extend(&masked(0x00, &[1; 101])[..6]);
    assert_eq!(limit_of(&limits, &bytes[..bytes.len() - 1]), None);
    assert_eq!(limit_of(&limits, &bytes), Some((Limit::StreamedBytes, 1009)));
    assert_eq!(limit_of(&limits, &masked(0x81, &[b'a'; 1000])), None);
    assert_eq!(limit_of(&limits, &masked(0x81, &[b'a'; 1001])[..8]), Some((Limit::StreamedBytes, 1009)));
    // Each message has it anew.
    assert_eq!(limit_of(&limits, &masked(0x82, &[1; 900]).repeat(5)), None);
    // What was gathered before counts.
    let mut limits = SocketLimits::default();
    limits.streamed_bytes = 20;
    let mut socket = server(&limits);
    feed(socket.io(), &masked(0x02, &[1; 15]));
    assert!(socket.event().is_none());
    feed(socket.io(), &masked(0x80, &[1; 6]));
    let got = receive_pieces(&mut socket, &mut None);
    assert_eq!(got, [Got::Failure(Some(1009))]);
}

/// A long message has many fragments. Only those that bring nothing are counted, and only in a row.
#[test]
fn fragments_of_nothing_are_counted() {
    let small = [masked(0x02, b"x"), masked(0x00, b"x").repeat(5000), masked(0x80, b"x")].concat();
    assert_eq!(limit_of(&SocketLimits::default(), &small), None);
    let row = masked(0x00, b"").repeat(1024);
    let rows = [masked(0x02, b"x"), row.clone(), masked(0x00, b"x"), row.clone()].concat();
    assert_eq!(limit_of(&SocketLimits::default(), &rows), None);
    let longer = [masked(0x02, b"x"), row, masked(0x80, b"")].concat();
    assert_eq!(limit_of(&SocketLimits::default(), &longer), Some((Limit::FragmentCount, 1008)));
    // A row is one row, whatever the caller asks for in the middle of it.
    let mut socket = server(&SocketLimits::default());
    feed(socket.io(), &[masked(0x02, b"x"), masked(0x00, b"").repeat(1000)].concat());
    assert!(socket.event().is_none());
    feed(socket.io(), &masked(0x00, b"").repeat(24));
    let mut message = None;
    assert_eq!(receive_pieces(&mut socket, &mut message), []);
    feed(socket.io(), &masked(0x00, b""));
    assert_eq!(receive_pieces(&mut socket, &mut message), [Got::Failure(Some(1008))]);
}

/// A message in pieces makes progress or ends, whether somebody takes it or not; enough progress never ends it.
#[test]
fn a_message_in_pieces_makes_progress_or_ends() {
    let mut limits = SocketLimits::default();
    limits.ping_interval = None;
    limits.message_pace = Pace::silence(Duration::from_secs(5)).total(Duration::from_secs(10), 100);
    for (skips, rate, ends) in [(false, 50, true), (true, 50, true), (false, 100, false), (true, 100, false)]
    {
        let mut socket = server(&limits);
        let chunk = vec![0; rate];
        feed(socket.io(), &masked(0x82, &vec![0; 60_000])[..8]);
        assert!(matches!(next(&mut socket), Piece::Start(Kind::Binary)));
        let mut end = None;
        for second in 0..100 {
            feed_at(socket.io(), second * 1000, &chunk);
            if skips {
                assert!(end.is_some() || socket.event().is_none());
            } else {
                while end.is_none() && socket.piece().is_some() {}
            }
            if let Arrived::Something = look(socket.io(), second * 1000) {
                let cause = if skips { ws_help::cause(&mut socket) } else { failed(&mut socket).unwrap() };
                assert_eq!(end.replace((second, cause)), None);
            }
        }
        match end {
            Some((second, Cause::Exceeded(exceeded))) => {
                assert_eq!((ends, second, exceeded.limit), (true, 20, Limit::MessageProgress));
            }
            None => assert!(!ends && waits(socket.io(), 100_000).is_some()),
            other => panic!("{other:?}"),
        }
    }
}

/// The bytes of a character that comes byte by byte are progress too.
#[test]
fn cut_characters_are_progress() {
    let mut limits = SocketLimits::default();
    limits.ping_interval = None;
    limits.message_pace = Pace::silence(Duration::from_secs(60));
    let mut socket = server(&limits);
    let bytes = masked(0x81, "水".repeat(2000).as_bytes());
    for (index, byte) in bytes.iter().enumerate() {
        let now = u64::try_from(index.saturating_sub(8)).unwrap() * 59_000;
        feed_at(socket.io(), now, &[*byte]);
        while let Some(piece) = socket.piece() {
            assert!(!matches!(piece, Piece::Failed(_)), "after {index} bytes");
        }
        let _ = look(socket.io(), now);
        assert!(socket.piece().is_none(), "too slow after {index} bytes");
    }
}

/// The end of a message is the end of its clock, also of one that was skipped.
#[test]
fn no_clock_runs_behind_the_end() {
    for skips in [false, true] {
        let mut limits = SocketLimits::default();
        limits.ping_interval = None;
        let mut socket = server(&limits);
        feed(socket.io(), &masked(0x82, b"x")[..6]);
        assert!(matches!(next(&mut socket), Piece::Start(Kind::Binary)));
        assert!(socket.piece().is_none());
        assert_eq!(waits(socket.io(), 0).unwrap().reason, Limit::MessageProgress);
        feed(socket.io(), &masked(0x82, b"x")[6..]);
        if skips {
            assert!(socket.event().is_none());
        } else {
            assert!(matches!(next(&mut socket), Piece::Binary(_)));
            assert!(matches!(next(&mut socket), Piece::End));
        }
        assert_eq!(waits(socket.io(), 1000), None);
        assert!(socket.event().is_none());
    }
}

/// A socket pings while a message comes in pieces, and ends without an answer.
#[test]
fn the_connection_is_kept_alive_within_a_message() {
    let mut limits = SocketLimits::default();
    limits.message_pace = Pace::UNLIMITED;
    let mut socket = server(&limits);
    feed(socket.io(), &masked(0x82, &[0; 100])[..50]);
    assert!(matches!(next(&mut socket), Piece::Start(Kind::Binary)));
    assert!(matches!(next(&mut socket), Piece::Binary(_)));
    for (now, pings) in [(0, 0), (17_000, 0), (18_000, 1), (37_000, 0)] {
        let news = look(socket.io(), now);
        assert_eq!(news == Arrived::Something, pings > 0, "{now}: {news:?}");
        assert!(socket.piece().is_none());
        assert_eq!(written(socket.io()), plain(0x89, b"").repeat(pings), "{now}");
    }
    assert_eq!(look(socket.io(), 38_000), Arrived::Something);
    let Some(Cause::Exceeded(exceeded)) = failed(&mut socket) else { panic!("a limit") };
    assert_eq!(exceeded.limit, Limit::PongTime);
}

/// To look changes nothing, however often.
#[test]
fn looking_changes_nothing() {
    let bytes = [masked(0x01, "a水".as_bytes()), masked(0x80, b"b")].concat();
    let mut socket = server(&SocketLimits::default());
    let mut message = None;
    let mut got = vec![];
    for byte in bytes.chunks(1) {
        feed(socket.io(), byte);
        while socket.ready_piece() {
            assert!(socket.ready_piece());
            assert_eq!(waits(socket.io(), 0).unwrap().reason, Limit::PingInterval, "only its pings go on");
            got.extend(put_together(next(&mut socket), &mut message));
        }
        assert!(socket.piece().is_none());
    }
    assert_eq!(got, [text("a水b")]);
}

/// Many pieces, both roles: what `frame` of this test writes and what the other core writes.
#[test]
fn a_client_takes_pieces_too() {
    let data: Vec<u8> = (0..200_000).map(|i| u8::try_from(i % 251).unwrap()).collect();
    for step in [1000, 4096, 300_000] {
        let bytes = frame(0x82, &data, None);
        let (got, _) = run_cut(client(&SocketLimits::default()), &bytes, &[step - 1], true);
        assert_eq!(got, [Got::Binary(data.clone()), Got::Failure(None)], "{step}");
    }
}

/// What is shown of bad text is the same however it came: the bytes of the character up to the impossible one.
#[test]
fn bad_text_is_blamed_alike_under_every_split() {
    let told = |wire: &[u8], cut: usize| {
        let mut socket = server(&SocketLimits::default());
        feed(socket.io(), &wire[..cut]);
        failed(&mut socket).or_else(|| {
            feed(socket.io(), &wire[cut..]);
            failed(&mut socket)
        })
    };
    for (text, shown) in [
        (&b"a\xe2\xe2"[..], r"\xe2\xe2"),
        (b"a\xf0\x9f\x9f\xf0\x9f", r"\xf0\x9f\x9f\xf0"),
        (b"\xe2\x82\xc3\xa9", r"\xe2\x82\xc3"),
        (b"\xc3\xc3", r"\xc3\xc3"),
        (b"ab\xffcd", r"\xff"),
    ] {
        let wire = masked(0x81, text);
        for cut in 0..=wire.len() {
            let error = told(&wire, cut).expect("that was no text").to_string();
            assert!(error.contains(&format!("got \"{shown}\" ")), "cut at {cut}: {error}");
        }
    }
}

/// A message that was begun in pieces goes on in pieces after our Close: a read that finds nothing skips none of it.
#[test]
fn pieces_go_on_after_our_close() {
    let mut socket = server(&SocketLimits::default());
    feed(socket.io(), &[masked(0x01, b"one"), masked(0x00, b"two")].concat());
    assert!(matches!(next(&mut socket), Piece::Start(Kind::Text)));
    assert_eq!(text_of(next(&mut socket)), "one");
    let mut receiving = socket.close_writing(Close::EMPTY);
    assert_eq!(written(receiving.io()), plain(0x88, b""));
    assert_eq!(waits(receiving.io(), 1), None, "a piece is ready");
    assert_eq!(text_of(receiving.piece().expect("the rest is there")), "two");
    feed(receiving.io(), &masked(0x80, b"three"));
    assert_eq!(text_of(receiving.piece().expect("more came")), "three");
    assert!(matches!(receiving.piece(), Some(Piece::End)));
}
