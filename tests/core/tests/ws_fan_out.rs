//! One message to many connections: encoded once, shared where it is large.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_core,
    reason = "a test may panic, and reads like the wire"
)]

mod ws_help;

use bytes::{Buf, Bytes};
use endwell_core::ws::{Frame, Kind, Limits, Message, Sender, WebSocket};
use endwell_core::{Outbox, OutboxLimits};
use ws_help::{Got, client, plain, run, server, text, written};

fn sender_of(socket: WebSocket) -> Sender {
    socket.send
}

/// 5.2: each length in each form, to three servers' peers and three clients'.
#[test]
fn what_is_sent_to_many_each_of_them_reads() {
    let limits = Limits::default();
    for len in [0, 1, 125, 126, 127, 4095, 4096, 65_535, 65_536, 200_000] {
        let data: Vec<u8> = (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let frame = Frame::encode(Message::binary(data.clone()));
        assert_eq!((frame.kind(), &frame.data()[..]), (Kind::Binary, &data[..]));
        assert_eq!(frame.encoded_len(), plain(0x82, &data).len());
        let mut keys = std::collections::HashSet::new();
        let mut to_server = sender_of(client(&limits));
        for _ in 0..3 {
            let mut out = Outbox::default();
            sender_of(server(&limits)).frame(&frame, &mut out).unwrap();
            assert_eq!(written(&mut out), plain(0x82, &data), "{len}");
            to_server.frame(&frame.clone(), &mut out).unwrap();
            let bytes = written(&mut out);
            assert_eq!(bytes.len(), frame.encoded_len() + 4);
            let at = bytes.len() - len - 4;
            assert!(keys.insert(bytes[at..at + 4].to_vec()), "a key for each frame");
            assert_eq!(run(server(&limits), &bytes, 1021).0, [Got::Binary(data.clone())]);
        }
        assert_eq!(Message::from(frame), Message::binary(data));
    }
    let mut out = Outbox::default();
    sender_of(server(&limits)).frame(&Message::text("grüße").into(), &mut out).unwrap();
    assert_eq!(run(client(&limits), &written(&mut out), 1).0, [text("grüße")]);
}

/// What is queued for each connection is the same memory as what was encoded.
#[test]
fn a_large_message_is_shared() {
    let data = Bytes::from(vec![7; 100_000]);
    let frame = Frame::encode(Message::binary(data.clone()));
    assert_eq!(frame.data().as_ptr(), data.as_ptr());
    for frame in [frame.clone(), frame] {
        let mut out = Outbox::default();
        sender_of(server(&Limits::default())).frame(&frame, &mut out).unwrap();
        out.advance(10);
        assert_eq!((out.chunk().as_ptr(), out.len()), (data.as_ptr(), data.len()));
        assert_eq!(Message::from(frame).data().as_ptr(), data.as_ptr());
    }
}

/// The bounds are those of a message.
#[test]
fn a_frame_that_does_not_fit_writes_nothing() {
    for (socket, key) in [(server(&Limits::default()), 0), (client(&Limits::default()), 4)] {
        let mut send = sender_of(socket);
        let mut out = Outbox::new(OutboxLimits { bytes: 1000, ..OutboxLimits::default() });
        let [small, large] = [400, 5000].map(|len| Frame::encode(Message::binary(vec![1; len])));
        send.frame(&small, &mut out).unwrap();
        send.frame(&small, &mut out).unwrap();
        let queued = 2 * (small.encoded_len() + key);
        assert_eq!(send.frame(&small, &mut out).unwrap_err().0, &small);
        assert_eq!(send.frame(&large, &mut out).unwrap_err().0, &large);
        assert_eq!(out.len(), queued);
        out.advance(queued);
        // Larger than the outbox, and nothing else is queued.
        send.frame(&large, &mut out).unwrap();
        assert_eq!(out.len(), large.encoded_len() + key);
    }
}

#[test]
fn only_lengths_are_shown() {
    let frame = Frame::encode(Message::text("secret"));
    assert_eq!(format!("{frame:?}"), "Frame(Text, 6 bytes)");
}
