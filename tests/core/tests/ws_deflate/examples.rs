//! RFC 7692 7.2.3: the examples, byte for byte.

use endwell_core::ws::{Compression, DataMessage, Deflate, Kind, SocketLimits};
use endwell_core_tests::io::{feed, written};

use crate::ws_help::{Got, masked, plain, text};
use crate::{answer, received, server};

const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\0";

fn got(frames: &[Vec<u8>]) -> Vec<Got> {
    let bytes = [frames.concat(), masked(0x88, b"")].concat();
    let mut all = received(|| server(&SocketLimits::default()), &bytes);
    assert_eq!(all.pop(), Some(Got::Close(None, String::new())));
    all
}

#[test]
fn a_message_in_one_frame_and_in_two() {
    // 7.2.3.1, as it stands there: a server's frame, and here a client's.
    assert_eq!(plain(0xc1, HELLO), b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00");
    assert_eq!(got(&[masked(0xc1, HELLO)]), [text("Hello")]);
    assert_eq!(got(&[masked(0x41, b"\xf2\x48\xcd"), masked(0x80, b"\xc9\xc9\x07\0")]), [text("Hello")]);
    // With a control frame between.
    let frames = [masked(0x41, b"\xf2\x48\xcd"), masked(0x89, b"?"), masked(0x80, b"\xc9\xc9\x07\0")];
    assert_eq!(got(&frames), [Got::Ping(b"?".to_vec()), text("Hello")]);
}

#[test]
fn a_message_that_refers_to_the_one_before() {
    // 7.2.3.2: 0xf2 0x00 0x11 0x00 0x00 is five bytes at a distance of five.
    let frames = [masked(0xc1, HELLO), masked(0xc1, b"\xf2\0\x11\0\0")];
    assert_eq!(got(&frames), [text("Hello"), text("Hello")]);
    // A plain message between is none of the history.
    let frames = [masked(0xc1, HELLO), masked(0x81, b"plain"), masked(0xc1, b"\xf2\0\x11\0\0")];
    assert_eq!(got(&frames), [text("Hello"), text("plain"), text("Hello")]);
}

#[test]
fn stored_final_and_several_blocks() {
    // 7.2.3.3: a block without compression.
    let stored = b"\0\x05\0\xfa\xff\x48\x65\x6c\x6c\x6f\0";
    // 7.2.3.4: a final block, and the header of an empty one behind it.
    let last = b"\xf3\x48\xcd\xc9\xc9\x07\0\0";
    // 7.2.3.5: two blocks.
    let two = b"\xf2\x48\x05\0\0\0\xff\xff\xca\xc9\xc9\x07\0";
    for payload in [&stored[..], last, two] {
        assert_eq!(got(&[masked(0xc1, payload)]), [text("Hello")], "{payload:x?}");
    }
    // Several final blocks, and what follows a message that has one may refer to it.
    let finals = [&last[..7], &last[..7], last].concat();
    let again = b"\xf2\0\x11\0\0";
    assert_eq!(got(&[masked(0xc1, &finals), masked(0xc1, again)]), [text("HelloHelloHello"), text("Hello")]);
    // Nothing behind the final block: not as the RFC has it, and without doubt.
    assert_eq!(got(&[masked(0xc1, &last[..7])]), [text("Hello")]);
}

#[test]
fn an_empty_message() {
    // 7.2.3.6: an empty block without its tail.
    assert_eq!(got(&[masked(0xc2, b"\0")]), [Got::Binary(vec![])]);
    // In frames, of which the last one has nothing, as programs send that end a message behind its last piece.
    assert_eq!(got(&[masked(0x41, b""), masked(0, b""), masked(0x80, b"\0")]), [text("")]);
    let flushed = [HELLO, b"\0\0\xff\xff"].concat();
    assert_eq!(got(&[masked(0x41, &flushed), masked(0x80, b"\0")]), [text("Hello")]);
    assert_eq!(got(&[masked(0x41, &flushed), masked(0x80, b"")]), [text("Hello")]);
    assert_eq!(got(&[masked(0xc1, b"")]), [text("")]);
}

/// 7.2.3.1 and 7.2.3.2 as they are written. A message of five bytes would grow and is sent plain, so in pieces: each ends with
/// a whole empty block, so that it can be inflated when it is there, and the last frame is 7.2.3.6's.
#[test]
fn what_is_written_is_what_the_examples_are() {
    let agreement = answer("permessage-deflate", &Deflate::default()).unwrap();
    let mut socket = crate::ws_help::server(&SocketLimits::default()).deflate(&agreement);
    let hello = DataMessage::text("Hello").with_compression(Compression::Always);
    socket.writer().message(hello).unwrap();
    assert_eq!(written(socket.io()), plain(0x81, b"Hello"));
    for payload in [&b"\xf2\x48\xcd\xc9\xc9\x07\0\0\0\xff\xff"[..], b"\xf2\0\x11\0\0\0\0\xff\xff"] {
        let mut within = socket.begin(Kind::Text);
        within.writer().write("Hello".into()).unwrap();
        socket = within.finish().unwrap();
        assert_eq!(written(socket.io()), [plain(0x41, payload), plain(0x80, b"\0")].concat());
    }
    // Without a piece there is nothing to compress.
    let mut socket = socket.begin(Kind::Text).finish().unwrap();
    assert_eq!(written(socket.io()), plain(0x81, b""));
}

#[test]
fn a_look_passes_a_compressed_message() {
    let mut socket = server(&SocketLimits::default());
    let fragments = [masked(0x41, b"\xf2\x48\xcd"), masked(0x89, b"?"), masked(0x80, b"\xc9\xc9\x07\0")];
    feed(socket.io(), &[masked(0xc1, HELLO), fragments.concat()].concat());
    // The first is being decompressed, and the rest is not taken.
    assert!(socket.ready());
    feed(socket.io(), &masked(0x88, b""));
    let mut receiving = socket.answer_close().expect("a Close has arrived");
    assert_eq!(written(receiving.io()), [plain(0x8a, b"?"), plain(0x88, b"")].concat());
    let all: Vec<Got> = core::iter::from_fn(|| receiving.event().map(crate::ws_help::got)).take(4).collect();
    let close = Got::Close(None, String::new());
    assert_eq!(all, [text("Hello"), Got::Ping(b"?".to_vec()), text("Hello"), close]);
}
