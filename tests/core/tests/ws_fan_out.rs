//! One message to many connections: encoded once, shared where it is large.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_core,
    reason = "a test may panic, and reads like the wire"
)]

mod ws_help;

use core::convert::Infallible;

use bytes::Bytes;
use endwell_core::OutboxLimits;
use endwell_core::ws::{DataMessage, Frame, Kind, SocketLimits};
use endwell_core_tests::io::written;
use ws_help::{Got, client, client_with, plain, run, server, server_with, text};

/// 5.2: each length in each form, to three servers' peers and three clients'.
#[test]
fn what_is_sent_to_many_each_of_them_reads() {
    let limits = SocketLimits::default();
    for len in [0, 1, 125, 126, 127, 4095, 4096, 65_535, 65_536, 200_000] {
        let data: Vec<u8> = (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let frame = Frame::encode(DataMessage::binary(data.clone()));
        assert_eq!((frame.kind(), &frame.data()[..]), (Kind::Binary, &data[..]));
        assert_eq!(frame.encoded_len(), plain(0x82, &data).len());
        let mut keys = std::collections::HashSet::new();
        let mut to_server = client(&limits);
        for _ in 0..3 {
            let mut to_client = server(&limits);
            to_client.writer().frame(&frame).unwrap();
            assert_eq!(written(to_client.io()), plain(0x82, &data), "{len}");
            to_server.writer().frame(&frame.clone()).unwrap();
            let bytes = written(to_server.io());
            assert_eq!(bytes.len(), frame.encoded_len() + 4);
            let at = bytes.len() - len - 4;
            assert!(keys.insert(bytes[at..at + 4].to_vec()), "a key for each frame");
            assert_eq!(run(server(&limits), &bytes, 1021).0, [Got::Binary(data.clone())]);
        }
        assert_eq!(DataMessage::from(frame), DataMessage::binary(data));
    }
    let mut socket = server(&limits);
    socket.writer().frame(&DataMessage::text("grüße").into()).unwrap();
    assert_eq!(run(client(&limits), &written(socket.io()), 1).0, [text("grüße")]);
}

/// What is queued for each connection is the same memory as what was encoded.
#[test]
fn a_large_message_is_shared() {
    let data = Bytes::from(vec![7; 100_000]);
    let frame = Frame::encode(DataMessage::binary(data.clone()));
    assert_eq!(frame.data().as_ptr(), data.as_ptr());
    for frame in [frame.clone(), frame] {
        let mut socket = server(&SocketLimits::default());
        socket.writer().frame(&frame).unwrap();
        let Ok(_) = socket.io().write(endwell_core_tests::io::at(0), |chunks| {
            assert_eq!(chunks.next().unwrap().len(), 10);
            let shared = chunks.next().unwrap();
            assert_eq!((shared.as_ptr(), shared.len()), (data.as_ptr(), data.len()));
            assert!(chunks.next().is_none());
            Ok::<_, Infallible>(None)
        });
        assert_eq!(DataMessage::from(frame).data().as_ptr(), data.as_ptr());
    }
}

/// The bounds are those of a message.
#[test]
fn a_frame_that_does_not_fit_writes_nothing() {
    let limits = SocketLimits::default();
    let output = OutboxLimits { bytes: 1000, ..OutboxLimits::default() };
    for (mut socket, key) in [(server_with(&limits, output), 0), (client_with(&limits, output), 4)] {
        let [small, large] = [400, 5000].map(|len| Frame::encode(DataMessage::binary(vec![1; len])));
        socket.writer().frame(&small).unwrap();
        socket.writer().frame(&small).unwrap();
        let queued = 2 * (small.encoded_len() + key);
        assert_eq!(socket.writer().frame(&small).unwrap_err().0, &small);
        assert_eq!(socket.writer().frame(&large).unwrap_err().0, &large);
        assert_eq!(written(socket.io()).len(), queued);
        // Larger than the limit, and nothing else is queued.
        socket.writer().frame(&large).unwrap();
        assert_eq!(socket.io().queued(), large.encoded_len() + key);
    }
}

#[test]
fn only_lengths_are_shown() {
    let frame = Frame::encode(DataMessage::text("secret"));
    assert_eq!(format!("{frame:?}"), "Frame(Text, 6 bytes)");
}
