//! What is compressed, and what is sent plain.

use std::sync::Arc;

use endwell_core::Outbox;
use endwell_core::ws::{Agreement, Compression, Deflate, Frame, Limits, Message, Sender};

use crate::ws_help::{self, Got, run_cut, written};
use crate::{answer, bits, json, noise};

fn sender(agreement: &Agreement) -> Sender {
    ws_help::server(&Limits::default()).deflate(agreement).send
}

/// How many bytes go out, and whether they are compressed.
fn sent(send: &mut Sender, message: Message) -> (usize, bool) {
    let mut out = Outbox::default();
    send.message(message, &mut out).unwrap();
    let bytes = written(&mut out);
    (bytes.len(), bytes[0] & 0x40 != 0)
}

#[test]
fn the_size_decides_unless_something_else_is_said() {
    let agreement = answer("permessage-deflate", &Deflate::default()).unwrap();
    let mut send = sender(&agreement);
    let text = |len| Message::text(json(len, 1));
    assert_eq!(sent(&mut send, text(255)), (255 + 4, false));
    assert!(sent(&mut send, text(256)).1);
    assert!(sent(&mut send, text(255).with_compression(Compression::Always)).1);
    assert_eq!(sent(&mut send, text(1000).with_compression(Compression::Never)), (1000 + 4, false));
    // Borrowed, of either kind.
    let mut out = Outbox::default();
    for (len, is_compressed) in [(255, false), (256, true)] {
        send.text(&json(len, 1), &mut out).unwrap();
        assert_eq!(written(&mut out)[0] & 0x40 != 0, is_compressed);
        send.binary(json(len, 1).as_bytes(), &mut out).unwrap();
        assert_eq!(written(&mut out)[0] & 0x40 != 0, is_compressed);
    }
}

#[test]
fn what_would_grow_is_sent_plain() {
    let agreement = answer("permessage-deflate", &Deflate::default()).unwrap();
    let mut send = sender(&agreement);
    for len in [0, 1, 10, 1000, 70_000] {
        let message = Message::binary(noise(len)).with_compression(Compression::Always);
        assert!(!sent(&mut send, message).1, "{len}");
    }
    // It is none of what the next message refers to, on either side.
    assert!(sent(&mut send, Message::binary(noise(1000)[..900].to_vec())).0 > 900);
}

#[test]
fn with_context_the_second_is_smaller_and_without_it_is_not() {
    let sizes = |deflate: &Deflate, offer: &str| {
        let mut send = sender(&answer(offer, deflate).unwrap());
        [1, 1].map(|seed| sent(&mut send, Message::text(json(2000, seed))).0)
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
    let mut send = ws_help::client(&Limits::default()).deflate(&agreement).send;
    let [first, second] = [1, 1].map(|seed| sent(&mut send, Message::text(json(2000, seed))).0);
    assert_eq!(first, second);
}

/// One that many connections share is compressed once, whatever each has sent before, and goes on from there.
#[test]
fn a_shared_message_is_compressed_for_all() {
    let frame = Frame::encode(Message::text(json(5000, 7)));
    let shared = Arc::new(Deflate::default());
    let agreed = |offer: &str| Agreement::answer([offer.as_bytes()], &shared).unwrap().unwrap();
    let (large, small) =
        (agreed("permessage-deflate"), agreed("permessage-deflate; server_max_window_bits=9"));
    let mut wires = vec![];
    for (agreement, before) in [(&large, 0), (&large, 3000), (&small, 0), (&small, 3000)] {
        let (mut send, mut out) = (sender(agreement), Outbox::default());
        let mut expected = vec![];
        if before > 0 {
            send.text(&json(before, 7), &mut out).unwrap();
            expected.push(Got::Text(json(before, 7)));
        }
        let mut bytes = written(&mut out);
        send.frame(&frame, &mut out).unwrap();
        let wire = written(&mut out);
        assert!(wire.len() < 2500 && wire[0] == 0xc1, "{} bytes", wire.len());
        bytes.extend(&wire);
        wires.push(wire);
        send.text(&json(5000, 7), &mut out).unwrap();
        let again = written(&mut out);
        assert!(again.len() < 1000 || *agreement.field() == *small.field(), "{} bytes", again.len());
        bytes.extend(again);
        expected.extend([Got::Text(json(5000, 7)), Got::Text(json(5000, 7)), Got::Failure(None)]);
        let mut client = Deflate::default();
        client.received_context = Some(bits(15));
        let agreement = Arc::new(client).confirm([agreement.field().as_bytes()]).unwrap().unwrap();
        let (got, _) =
            run_cut(ws_help::client(&Limits::default()).deflate(&agreement), &bytes, &[100], false);
        assert!(got == expected);
    }
    assert_eq!(wires[0], wires[1], "compressed once");
    assert_ne!(wires[0], wires[2], "a smaller window needs a form of its own");
    // Short ones, and such as would grow, are sent plain.
    for message in [Message::text("short"), Message::binary(noise(3000))] {
        let (mut send, mut out) = (sender(&large), Outbox::default());
        let plain = Frame::encode(message);
        send.frame(&plain, &mut out).unwrap();
        assert_eq!(written(&mut out).len(), plain.encoded_len());
    }
}

/// What was agreed on last counts in both directions.
#[test]
fn one_agreement_takes_the_place_of_another() {
    let [with, without] = [Deflate::default(), Deflate::without_context()]
        .map(|deflate| answer("permessage-deflate", &deflate).unwrap());
    let make = || ws_help::client(&Limits::default()).deflate(&with).deflate(&without);
    let mut send = make().send;
    let [first, second] = [1, 1].map(|seed| sent(&mut send, Message::text(json(2000, seed))).0);
    assert_eq!(first, second);
    let mut out = Outbox::default();
    send.text("masked", &mut out).unwrap();
    assert_eq!(written(&mut out)[1] & 0x80, 0x80);
}
