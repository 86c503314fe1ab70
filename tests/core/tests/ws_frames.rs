//! RFC 6455 5: frames, masks, fragments, control frames.
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

use endwell_core::OutboxLimits;
use endwell_core::ws::{Control, DataMessage, Full, Kind, PieceNotWritten, SocketLimits};
use endwell_core_tests::io::{take, written};
use ws_help::{Got, agreed, client, frame, masked, plain, run, server, server_with, text};

fn at_server(bytes: &[u8]) -> (Vec<Got>, Vec<u8>) {
    agreed(|| server(&SocketLimits::default()), bytes)
}

fn at_client(bytes: &[u8]) -> (Vec<Got>, Vec<u8>) {
    agreed(|| client(&SocketLimits::default()), bytes)
}

/// 5.7: the examples of the RFC, byte for byte.
#[test]
fn the_examples_of_the_rfc() {
    let unmasked = [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
    assert_eq!(at_client(&unmasked).0, [text("Hello")]);
    let masked = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(at_server(&masked).0, [text("Hello")]);
    let fragmented = [0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f];
    assert_eq!(at_client(&fragmented).0, [text("Hello")]);
    let ping = [0x89, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    let (got, answer) = at_server(&ping);
    assert_eq!(got, [Got::Ping(b"Hello".to_vec())]);
    assert_eq!(answer, [0x8a, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
}

/// 5.2: each length in each form, both ways.
#[test]
fn lengths() {
    for len in [0, 1, 125, 126, 127, 4095, 4096, 65_535, 65_536, 200_000] {
        let data: Vec<u8> = (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let expected = [Got::Binary(data.clone())];
        for step in [1021, len + 14] {
            assert_eq!(run(server(&SocketLimits::default()), &masked(0x82, &data), step).0, expected);
            assert_eq!(run(client(&SocketLimits::default()), &plain(0x82, &data), step).0, expected);
        }
        let mut socket = server(&SocketLimits::default());
        socket.writer().message(DataMessage::binary(data.clone())).unwrap();
        assert_eq!(written(socket.io()), plain(0x82, &data));
        socket.writer().binary(&data).unwrap();
        assert_eq!(written(socket.io()), plain(0x82, &data));
        let mut socket = client(&SocketLimits::default());
        for _ in 0..2 {
            socket.writer().message(DataMessage::binary(data.clone())).unwrap();
            let bytes = written(socket.io());
            assert_eq!(run(server(&SocketLimits::default()), &bytes, bytes.len()).0, expected);
        }
    }
}

/// 5.1 to 5.5: what the protocol forbids is told with 1002, whatever the split.
#[test]
fn what_is_forbidden() {
    let refused: [(&str, Vec<u8>); 13] = [
        ("RSV1", masked(0xc1, b"x")),
        ("RSV2", masked(0xa1, b"x")),
        ("RSV3", masked(0x91, b"x")),
        ("opcode 3", masked(0x83, b"x")),
        ("opcode 11", masked(0x8b, b"x")),
        ("no mask", plain(0x81, b"x")),
        ("a ping in fragments", masked(0x09, b"x")),
        ("a ping of 126 bytes", masked(0x89, &[0; 126])),
        ("a long form of a short length", vec![0x82, 0xfe, 0, 125]),
        (
            "a long form of a short length, and its payload",
            [&[0x82, 0xfe, 0, 125][..], &[0; 4 + 125]].concat(),
        ),
        ("the top bit of a length", vec![0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("a continuation of nothing", masked(0x80, b"x")),
        ("a message within a message", [masked(0x01, b"x"), masked(0x81, b"y")].concat()),
    ];
    for (what, bytes) in refused {
        // What stands behind it is not looked at (7.1.7).
        let bytes = [masked(0x82, b"before"), bytes, masked(0x81, b"after"), masked(0x88, b"")].concat();
        let (got, answer) = at_server(&bytes);
        assert_eq!(got, [Got::Binary(b"before".to_vec()), Got::Failure(Some(1002))], "{what}");
        assert_eq!((answer[0], &answer[2..4]), (0x88, &1002_u16.to_be_bytes()[..]), "{what}");
        assert_eq!(answer.len(), 2 + usize::from(answer[1]), "{what}: one Close and nothing else");
    }
    assert_eq!(at_client(&masked(0x81, b"x")).0, [Got::Failure(Some(1002))]);
}

/// 5.4: fragments, empty ones too, with control frames between them (S14).
#[test]
fn fragments_and_control_frames_between_them() {
    let bytes = [
        masked(0x01, "a€".as_bytes()[..2].as_ref()),
        masked(0x89, b"one"),
        masked(0x00, b""),
        masked(0x00, "a€".as_bytes()[2..].as_ref()),
        masked(0x8a, b"two"),
        masked(0x80, b"b"),
        masked(0x89, b""),
        masked(0x02, b""),
        masked(0x80, b""),
    ]
    .concat();
    let (got, answer) = at_server(&bytes);
    let control = |bytes: &[u8]| bytes.to_vec();
    assert_eq!(
        got,
        [
            Got::Ping(control(b"one")),
            Got::Pong(control(b"two")),
            text("a€b"),
            Got::Ping(control(b"")),
            Got::Binary(vec![])
        ]
    );
    assert_eq!(answer, [plain(0x8a, b"one"), plain(0x8a, b"")].concat());
}

/// 5.4: a message in pieces as it is written, a ping between, the next message after (S14, S15).
#[test]
fn fragments_out() {
    let mut within = server(&SocketLimits::default()).begin(Kind::Text);
    within.writer().write("one".into()).unwrap();
    within.writer().write("".into()).unwrap();
    within.ping(Control::EMPTY).unwrap();
    within.writer().write("two".into()).unwrap();
    let cut = bytes::Bytes::from_static(&"€".as_bytes()[..2]);
    assert_eq!(within.writer().write(cut.clone()), Err(PieceNotWritten::NotText(cut)));
    let mut socket = within.finish().unwrap();
    socket.writer().text("next").unwrap();
    let mut socket = socket.begin(Kind::Binary).finish().unwrap();
    let expected = [
        plain(0x01, b"one"),
        plain(0x89, b""),
        plain(0x00, b"two"),
        plain(0x80, b""),
        plain(0x81, b"next"),
        plain(0x82, b""),
    ];
    assert_eq!(written(socket.io()), expected.concat());
}

/// 8.1: text fails at its first impossible byte, though the frame goes on and on.
#[test]
fn text_fails_early() {
    for (start, bad) in
        [(&b"abc"[..], &b"\xff"[..]), (b"\xe2\x82", b"\x41"), (b"\xed", b"\xa0"), (b"", b"\xc0")]
    {
        let payload = [start, bad, &[b'x'; 1000][..]].concat();
        let bytes = masked(0x01, &payload);
        let known = bytes.len() - 1000;
        let early = run(server(&SocketLimits::default()), &bytes[..known], 1);
        assert_eq!(early.0, [Got::Failure(Some(1007))], "{start:x?} {bad:x?}");
        assert_eq!(run(server(&SocketLimits::default()), &bytes[..known - bad.len()], 1).0, []);
        assert_eq!(at_server(&bytes), early);
        assert_eq!(at_server(&masked(0x81, &payload)), early);
    }
    // It must not end within a character.
    assert_eq!(at_server(&masked(0x81, b"\xe2\x82")).0, [Got::Failure(Some(1007))]);
    let bytes = [masked(0x01, b"\xe2\x82"), masked(0x80, b"")].concat();
    assert_eq!(at_server(&bytes).0, [Got::Failure(Some(1007))]);
}

/// 5.3: each frame of a client has a key of its own, and what it sends is really masked.
#[test]
fn each_frame_has_its_own_key() {
    let mut socket = client(&SocketLimits::default());
    let mut keys = std::collections::HashSet::new();
    for _ in 0..100 {
        socket.writer().text("the same").unwrap();
        let bytes = written(socket.io());
        let key: [u8; 4] = bytes[2..6].try_into().unwrap();
        assert!(keys.insert(key));
        assert_eq!(bytes, frame(0x81, b"the same", Some(key)));
    }
}

/// A message that does not fit comes back whole; one larger than the limit is taken when nothing else is queued.
#[test]
fn what_does_not_fit_is_handed_back() {
    let output = OutboxLimits { bytes: 1000, ..OutboxLimits::default() };
    let mut socket = server_with(&SocketLimits::default(), output);
    let large = DataMessage::binary(vec![1; 5000]);
    let mut writer = socket.writer();
    assert!(writer.fits(5000));
    writer.message(large.clone()).unwrap();
    assert!(!writer.fits(1));
    assert_eq!(writer.message(large.clone()).unwrap_err().0, large);
    assert_eq!(writer.text("x").unwrap_err().0, "x");
    let mut within = socket.begin(Kind::Binary);
    assert_eq!(within.writer().write(vec![1; 5000].into()), Err(PieceNotWritten::Full(vec![1; 5000].into())));
    assert_eq!(written(within.io()), plain(0x82, &[1; 5000]));
    within.writer().write(vec![1; 900].into()).unwrap();
    assert_eq!(written(within.finish().unwrap().io()), [plain(0x02, &[1; 900]), plain(0x80, b"")].concat());
}

/// A message without a piece takes room too: a driver that never writes cannot queue them without a bound. Nothing is
/// refused if nothing is queued, or if a piece was written.
#[test]
fn messages_of_nothing_are_queued_up_to_the_limit() {
    let output = OutboxLimits { bytes: 1000, ..OutboxLimits::default() };
    let mut socket = server_with(&SocketLimits::default(), output);
    for message in 0.. {
        assert!(message <= 500, "{} bytes are queued", socket.io().queued());
        match socket.begin(Kind::Binary).finish() {
            Ok(next) => socket = next,
            Err(Full(mut within)) => {
                assert_eq!((message, within.io().queued()), (500, 1000));
                // The peer takes a message, and there is room for one more.
                take(within.io(), 2);
                socket = within.finish().unwrap();
                break;
            }
        }
    }
    take(socket.io(), 800);
    let mut within = socket.begin(Kind::Binary);
    within.writer().write(vec![1; 800].into()).unwrap();
    let mut socket = within.finish().unwrap();
    assert!(socket.io().queued() > 1000);
    take(socket.io(), usize::MAX);
    let output = OutboxLimits { bytes: 0, ..OutboxLimits::default() };
    let mut socket = server_with(&SocketLimits::default(), output).begin(Kind::Text).finish().unwrap();
    assert_eq!(written(socket.io()), plain(0x81, b""));
}
