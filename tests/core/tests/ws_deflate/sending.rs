//! What is compressed, and what is sent plain.

use std::sync::Arc;

use endwell_core::ws::Socket;
use endwell_core::ws::{Agreement, Compression, DataMessage, Deflate, Frame, Kind, SocketLimits};
use endwell_core_tests::io::written;

use crate::ws_help::{self, Got, run_cut};
use crate::{answer, bits, json, noise};

fn server(agreement: &Agreement) -> Socket {
    ws_help::server(&SocketLimits::default()).deflate(agreement)
}

/// How many bytes go out, and whether they are compressed.
fn sent(socket: &mut Socket, message: DataMessage) -> (usize, bool) {
    socket.writer().message(message).unwrap();
    let bytes = written(socket.io());
    (bytes.len(), bytes[0] & 0x40 != 0)
}

#[test]
fn the_size_decides_unless_something_else_is_said() {
    let agreement = answer("permessage-deflate", &Deflate::default()).unwrap();
    let mut socket = server(&agreement);
    let text = |len| DataMessage::text(json(len, 1));
    assert_eq!(sent(&mut socket, text(255)), (255 + 4, false));
    assert!(sent(&mut socket, text(256)).1);
    assert!(sent(&mut socket, text(255).with_compression(Compression::Always)).1);
    assert_eq!(sent(&mut socket, text(1000).with_compression(Compression::Never)), (1000 + 4, false));
    // Borrowed, of either kind.
    for (len, is_compressed) in [(255, false), (256, true)] {
        socket.writer().text(&json(len, 1)).unwrap();
        assert_eq!(written(socket.io())[0] & 0x40 != 0, is_compressed);
        socket.writer().binary(json(len, 1).as_bytes()).unwrap();
        assert_eq!(written(socket.io())[0] & 0x40 != 0, is_compressed);
    }
}

#[test]
fn a_message_in_pieces_is_compressed_unless_something_else_is_said() {
    let agreement = answer("permessage-deflate", &Deflate::default()).unwrap();
    let ways = [None, Some(Compression::BySize), Some(Compression::Always), Some(Compression::Never)];
    for (compression, is_compressed) in ways.into_iter().zip([true, true, true, false]) {
        let socket = server(&agreement);
        let mut within = match compression {
            None => socket.begin(Kind::Text),
            Some(compression) => socket.begin_with(Kind::Text, compression),
        };
        within.writer().write("piece".into()).unwrap();
        assert_eq!(written(within.io())[0] & 0x40 != 0, is_compressed, "{compression:?}");
    }
}

#[test]
fn what_would_grow_is_sent_plain() {
    let agreement = answer("permessage-deflate", &Deflate::default()).unwrap();
    let mut socket = server(&agreement);
    for len in [0, 1, 10, 1000, 70_000] {
        let message = DataMessage::binary(noise(len)).with_compression(Compression::Always);
        assert!(!sent(&mut socket, message).1, "{len}");
    }
    // It is none of what the next message refers to, on either side.
    assert!(sent(&mut socket, DataMessage::binary(noise(1000)[..900].to_vec())).0 > 900);
}

#[test]
fn with_context_the_second_is_smaller_and_without_it_is_not() {
    let sizes = |deflate: &Deflate, offer: &str| {
        let mut socket = server(&answer(offer, deflate).unwrap());
        [1, 1].map(|seed| sent(&mut socket, DataMessage::text(json(2000, seed))).0)
    };
    let [first, second] = sizes(&Deflate::default(), "permessage-deflate");
    assert!(second * 10 < first, "{first}, {second}");
    let [first, second] = sizes(&Deflate::without_context(), "permessage-deflate");
    assert_eq!(first, second);
    let [first, second] = sizes(&Deflate::default(), "permessage-deflate; server_no_context_takeover");
    assert_eq!(first, second);
    // A client need not be told to do what it announces.
    let client = Arc::new(Deflate::default());
    let agreement =
        client.confirm([&b"permessage-deflate; client_no_context_takeover"[..]]).unwrap().unwrap();
    let mut socket = ws_help::client(&SocketLimits::default()).deflate(&agreement);
    let [first, second] = [1, 1].map(|seed| sent(&mut socket, DataMessage::text(json(2000, seed))).0);
    assert_eq!(first, second);
}

/// One that many connections share is compressed once, whatever each has sent before, and goes on from there.
#[test]
fn a_shared_message_is_compressed_for_all() {
    let frame = Frame::encode(DataMessage::text(json(5000, 7)));
    let shared = Arc::new(Deflate::default());
    let agreed = |offer: &str| Agreement::answer([offer.as_bytes()], &shared).unwrap().unwrap();
    let (large, small) =
        (agreed("permessage-deflate"), agreed("permessage-deflate; server_max_window_bits=9"));
    let mut wires = vec![];
    for (agreement, before) in [(&large, 0), (&large, 3000), (&small, 0), (&small, 3000)] {
        let mut socket = server(agreement);
        let mut expected = vec![];
        if before > 0 {
            socket.writer().text(&json(before, 7)).unwrap();
            expected.push(Got::Text(json(before, 7)));
        }
        let mut bytes = written(socket.io());
        socket.writer().frame(&frame).unwrap();
        let wire = written(socket.io());
        assert!(wire.len() < 2500 && wire[0] == 0xc1, "{} bytes", wire.len());
        bytes.extend(&wire);
        wires.push(wire);
        socket.writer().text(&json(5000, 7)).unwrap();
        let again = written(socket.io());
        assert!(again.len() < 1000 || *agreement.field() == *small.field(), "{} bytes", again.len());
        bytes.extend(again);
        expected.extend([Got::Text(json(5000, 7)), Got::Text(json(5000, 7)), Got::Failure(None)]);
        let mut client = Deflate::default();
        client.received_context = Some(bits(15));
        let agreement = Arc::new(client).confirm([agreement.field().as_bytes()]).unwrap().unwrap();
        let (got, _) =
            run_cut(ws_help::client(&SocketLimits::default()).deflate(&agreement), &bytes, &[100], false);
        assert!(got == expected);
    }
    assert_eq!(wires[0], wires[1], "compressed once");
    assert_ne!(wires[0], wires[2], "a smaller window needs a form of its own");
    // Short ones, and such as would grow, are sent plain.
    for message in [DataMessage::text("short"), DataMessage::binary(noise(3000))] {
        let mut socket = server(&large);
        let plain = Frame::encode(message);
        socket.writer().frame(&plain).unwrap();
        assert_eq!(written(socket.io()).len(), plain.encoded_len());
    }
}

/// What was agreed on last counts in both directions.
#[test]
fn one_agreement_takes_the_place_of_another() {
    let [with, without] = [Deflate::default(), Deflate::without_context()]
        .map(|deflate| answer("permessage-deflate", &deflate).unwrap());
    let mut socket = ws_help::client(&SocketLimits::default()).deflate(&with).deflate(&without);
    let [first, second] = [1, 1].map(|seed| sent(&mut socket, DataMessage::text(json(2000, seed))).0);
    assert_eq!(first, second);
    socket.writer().text("masked").unwrap();
    assert_eq!(written(socket.io())[1] & 0x80, 0x80);
}
