//! The law: the work of decompression is bounded by the bytes that came, whatever they are.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;
use proptest::prelude::*;

use super::deflater::{Deflater, Form};
use super::work;
use crate::ws::{Agreement, Deflate, Event, Jitter, Masks, Piece, Role, Socket, SocketLimits, WindowBits};
use crate::{Instant, Look, OutboxLimits};

/// A reset, and a window that is loaded.
const LOAD: u64 = work::RESET + (32 << 10);

/// For each byte on the wire: an eighth of a window, since a final block within a message uses up eight bytes, and the
/// most that DEFLATE yields for a byte. Each message adds a window.
const PER_BYTE: u64 = LOAD / 8 + 1032;

/// Beyond that: the final blocks that are accepted at once.
const ONCE: u64 = 16 * LOAD;

/// Payload that is cheap to send, again and again.
const BLOCKS: &[&[u8]] = &[
    b"",
    b"\0",
    b"\x01",
    // Empty final blocks: fixed, stored; and some that are not final.
    b"\x03\0",
    b"\x01\0\0\xff\xff",
    b"\x02\0",
    b"\0\0\0\xff\xff",
    // A final block with a letter, and one with a match from 32 KiB ago.
    b"\x4b\x04\0",
    b"\x03\xde\xff\x0f\0",
    // A block with codes of its own, and nothing in it.
    b"\x05\xc0\x81\0\0\0\0\0\x90\xff\x6b\0",
    // A letter, and 258 more of it nine times.
    b"\x4b\x1c\x05\xa3\x60\x14\x8c\x82\x51\x30\x0a\x46\xc1\x28\x18\x05\x00",
    b"\xff",
];

/// How blocks are sent.
#[derive(Clone, Copy, Debug)]
enum Sent {
    Messages,
    Fragments,
    OneFrame,
}

fn frame(first: u8, payload: &[u8], is_client: bool, bytes: &mut Vec<u8>) {
    let mask = if is_client { 0x80 } else { 0 };
    bytes.push(first);
    match u16::try_from(payload.len()).unwrap() {
        len @ 0..=125 => bytes.push(mask | len.to_be_bytes()[1]),
        len => {
            bytes.push(mask | 0x7e);
            bytes.extend(len.to_be_bytes());
        }
    }
    if is_client {
        bytes.extend([0; 4]);
    }
    bytes.extend(payload);
}

fn wire(sent: &[(usize, usize, Sent)], is_client: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    // The window is full.
    let mut deflater = Deflater::new(Form::new(WindowBits::MOST, 6, 8));
    deflater.begin(None);
    frame(0xc2, deflater.whole(&b"x".repeat(40_000)).unwrap(), is_client, &mut bytes);
    for &(block, count, sent) in sent {
        let block = BLOCKS[block % BLOCKS.len()];
        match sent {
            Sent::Messages => (0..count).for_each(|_| frame(0xc2, block, is_client, &mut bytes)),
            Sent::OneFrame => frame(0xc2, &[&block.repeat(count)[..], &[0]].concat(), is_client, &mut bytes),
            Sent::Fragments => {
                frame(0x42, block, is_client, &mut bytes);
                (1..count).for_each(|_| frame(0, block, is_client, &mut bytes));
                frame(0x80, &[0], is_client, &mut bytes);
            }
        }
    }
    bytes
}

/// The work of receiving these bytes in parts of `cut`.
fn work_of(bytes: &[u8], is_client: bool, deflate: &Arc<Deflate>, cut: usize, pieces: bool) -> u64 {
    let agreement = Agreement::answer([&b"permessage-deflate"[..]], deflate).unwrap().unwrap();
    let limits = SocketLimits { fragments: usize::MAX, ..SocketLimits::default() };
    let role = if is_client { Role::Server } else { Role::Client(Masks::new(|| [0; 4])) };
    let mut socket = socket(role, limits).deflate(&agreement);
    let before = work::done();
    for part in bytes.chunks(cut) {
        let mut rest = part;
        while !rest.is_empty() {
            rest = &rest[feed(&mut socket, rest)..];
            loop {
                if pieces {
                    while !matches!(socket.piece(), None | Some(Piece::Failed(_))) {}
                } else {
                    while !matches!(socket.event(), None | Some(Event::Failed(_))) {}
                }
                if !socket.is_busy() {
                    break;
                }
            }
        }
    }
    work::done() - before
}

fn socket(role: Role, limits: SocketLimits) -> Socket {
    Socket::from_parts(role, Bytes::new(), limits.into(), OutboxLimits::default(), Jitter(0), None)
}

/// Feeds a part of `bytes`, and returns its length.
fn feed(socket: &mut Socket, bytes: &[u8]) -> usize {
    let mut len = 0;
    let look = |room: &mut [u8]| {
        len = room.len().min(bytes.len());
        room[..len].copy_from_slice(&bytes[..len]);
        Ok::<_, ()>(Look::Bytes(len))
    };
    let _ = socket.io().read_ahead(Instant::default(), look).unwrap();
    len
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_work_is_bounded_by_what_came(
        sent in prop::collection::vec(
            (0..BLOCKS.len(), 1..300_usize, prop::sample::select(&[Sent::Messages, Sent::Fragments, Sent::OneFrame][..])),
            1..5,
        ),
        is_client: bool,
        takes_over: bool,
        pieces: bool,
        cut in prop::sample::select(&[1, 7, 5000, 100_000][..]),
    ) {
        let deflate = Arc::new(if takes_over { Deflate::default() } else { Deflate::without_context() });
        let bytes = wire(&sent, is_client);
        let work = work_of(&bytes, is_client, &deflate, cut, pieces);
        let came = u64::try_from(bytes.len()).unwrap();
        let messages = sent.iter().map(|&(_, count, sent)| match sent {
            Sent::Messages => count,
            Sent::Fragments | Sent::OneFrame => 1,
        });
        let messages = u64::try_from(messages.sum::<usize>() + 1).unwrap();
        prop_assert!(work <= messages * LOAD + came * PER_BYTE + ONCE, "{} of {}", work, came);
        // The work does not depend on how they come.
        prop_assert_eq!(work_of(&bytes, is_client, &deflate, 1000, !pieces), work);
    }
}

/// One connection's small messages cost only their own bytes: the window stays where it is.
#[test]
fn messages_that_end_as_usual_load_no_window() {
    let deflate = Arc::new(Deflate::default());
    for block in [&b""[..], b"\0", b"\x02\0", b"\x4a\x04\0"] {
        let bytes = |count| {
            let mut bytes = wire(&[], true);
            (0..count).for_each(|_| frame(0xc2, block, true, &mut bytes));
            bytes
        };
        let few = work_of(&bytes(1), true, &deflate, 1000, false);
        assert!(work_of(&bytes(1000), true, &deflate, 1000, false) <= few + 1000, "{block:?}");
    }
}

/// A window is never another connection's.
#[test]
fn an_inflater_that_another_connection_has_had_is_loaded_anew() {
    let deflate = Arc::new(Deflate::default());
    let full = wire(&[], true);
    let first = work_of(&full, true, &deflate, 1000, false);
    let mut match_of_nothing = Vec::new();
    frame(0xc2, b"\x03\xde\xff\x0f\0\0", true, &mut match_of_nothing);
    let agreement = Agreement::answer([&b"permessage-deflate"[..]], &deflate).unwrap().unwrap();
    let mut socket = socket(Role::Server, SocketLimits::default()).deflate(&agreement);
    assert_eq!(feed(&mut socket, &match_of_nothing), match_of_nothing.len());
    assert!(matches!(socket.event(), Some(Event::Failed(_))), "there is nothing to refer to");
    assert_eq!(work_of(&full, true, &deflate, 1000, false), first);
}
