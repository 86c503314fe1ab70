//! What is no compressed message. RFC 7692 6 and 7.2.2.

use endwell_core::ws::SocketLimits;

use crate::ws_help::{self, Got, masked, text};
use crate::{received, server};

const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\0";

#[track_caller]
fn fails(frames: &[Vec<u8>], code: u16) {
    let all = received(|| server(&SocketLimits::default()), &frames.concat());
    assert_eq!(all.last(), Some(&Got::Failure(Some(code))), "{all:?}");
}

#[test]
fn the_bit_is_on_the_first_frame_of_a_message_and_nowhere_else() {
    for first in [0xc9, 0xca, 0xc8] {
        fails(&[masked(first, b"")], 1002);
    }
    // On a continuation, of a compressed message and of a plain one.
    fails(&[masked(0x41, &HELLO[..3]), masked(0xc0, &HELLO[3..])], 1002);
    fails(&[masked(0x01, b"Hel"), masked(0xc0, b"lo")], 1002);
    // Where no message was begun.
    fails(&[masked(0xc0, HELLO)], 1002);
    // On a message within another, plain or compressed.
    fails(&[masked(0x01, b"Hel"), masked(0xc1, HELLO)], 1002);
    fails(&[masked(0x41, &HELLO[..3]), masked(0xc1, HELLO)], 1002);
    fails(&[masked(0x41, &HELLO[..3]), masked(0x81, b"Hello")], 1002);
    // With another reserved bit, or on an opcode that means nothing.
    for first in [0xe1, 0xd1, 0xf1, 0xa1, 0x91, 0xc3, 0xcb] {
        fails(&[masked(first, HELLO)], 1002);
    }
    // Without a mask.
    fails(&[ws_help::plain(0xc1, HELLO)], 1002);
}

#[test]
fn without_an_agreement_there_is_no_compressed_message() {
    let all = received(|| ws_help::server(&SocketLimits::default()), &masked(0xc1, HELLO));
    assert_eq!(all, [Got::Failure(Some(1002))]);
}

#[test]
fn garbage_and_what_is_not_whole() {
    for payload in [
        // A block type that is reserved.
        &b"\xff\xff\xff\xff"[..],
        b"\x06",
        // A stored block whose length is not its own complement; one that is cut off.
        b"\0\x05\0\xfa\xfe\x48\x65\x6c\x6c\x6f\0",
        b"\0\x05\0\xfa\xff\x48\x65",
        b"\0\x09\0\xf6\xff\x48\x65\x6c\x6c\x6f",
        b"\0\xff\xff\0\0\x48\x65\x6c\x6c\x6f\0",
        // One that lacks its last byte, or two.
        b"\0\x05\0\xfa\xff\x48\x65\x6c\x6c",
        b"\0\x05\0\xfa\xff\x48\x65\x6c",
        // Fixed codes that are cut off, or are followed by what is none.
        &HELLO[..3],
        &HELLO[..5],
        // Within the code of a zero, which is `0011 0000`.
        b"\x62",
        b"\xf2\x48\xcd\xc9\xc9\x07\0\x07",
        // A distance that leads before the first byte.
        b"\xf2\0\x11\0\0",
        // Dynamic codes that are none.
        b"\x05\xe0\x81\x08\0\0\0\0\x20\x7f\xeb\x0b",
    ] {
        fails(&[masked(0xc1, payload)], 1002);
        fails(&[masked(0x42, payload), masked(0x80, b"")], 1002);
    }
}

#[test]
fn text_is_looked_at_while_it_inflates() {
    // Two stored blocks: the first is no text, and the second never comes.
    let stored = |data: &[u8]| {
        let len = u16::try_from(data.len()).unwrap();
        [&[0][..], &len.to_le_bytes(), &(!len).to_le_bytes(), data].concat()
    };
    fails(&[masked(0x41, &stored(b"\xff"))], 1007);
    fails(&[masked(0x41, &stored(b"\xed\xa0\x80"))], 1007);
    // A character that is cut by blocks and frames is whole in the end, or is not.
    let water = "水".as_bytes();
    let frames = |last: &[u8]| {
        vec![masked(0x41, &stored(&water[..1])), masked(0, &stored(&water[1..2])), masked(0x80, last)]
    };
    let all = received(
        || server(&SocketLimits::default()),
        &frames(&[&stored(&water[2..])[..], b"\0"].concat()).concat(),
    );
    assert_eq!(all, [text("水"), Got::Failure(None)]);
    fails(&frames(b"\0"), 1007);
    // The same bytes are no text without compression either, and any bytes are binary.
    let all =
        received(|| server(&SocketLimits::default()), &masked(0xc2, &[&stored(b"\xff")[..], b"\0"].concat()));
    assert_eq!(all, [Got::Binary(vec![0xff]), Got::Failure(None)]);
}

/// What is wrong first is what counts, however much of the rest is at hand.
#[test]
fn no_split_changes_the_verdict() {
    // No text, and behind it no block; the other way round; no text within the limit, and more behind it.
    fails(&[masked(0xc1, b"\0\x01\0\xfe\xff\xff\xff\xff\xff")], 1007);
    fails(&[masked(0xc1, b"\xff\0\x01\0\xfe\xff\xff\0")], 1002);
    let mut limits = SocketLimits::default();
    (limits.message_bytes, limits.streamed_bytes) = (40, 40);
    let limited = |data: &[u8]| {
        let mut payload = Vec::with_capacity(100);
        let mut stream = flate2::Compress::new(flate2::Compression::best(), false);
        stream.compress_vec(data, &mut payload, flate2::FlushCompress::Sync).unwrap();
        let agreement = crate::answer("permessage-deflate", &endwell_core::ws::Deflate::default()).unwrap();
        let payload = payload.strip_suffix(b"\0\0\xff\xff").unwrap();
        received(|| ws_help::server(&limits).deflate(&agreement), &masked(0xc1, payload))
    };
    let letters = |len| vec![b'a'; len];
    let [before, beyond] = [10, 41].map(|at| [letters(at), vec![0xff], letters(1000)].concat());
    assert_eq!(limited(&before), [Got::Failure(Some(1007))]);
    assert_eq!(limited(&beyond), [Got::Failure(Some(1009))]);
}
