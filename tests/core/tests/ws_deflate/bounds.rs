//! The limits are on what is inflated, and hold before it is (S32); what is on the wire has limits too.

use endwell_core::Arrived;
use endwell_core::ws::{Compression, DataMessage, Deflate, Event, Piece, Socket, SocketLimits};
use endwell_core_tests::io::{feed, look, written};

use crate::ws_help::{self, Got, masked, run_cut};
use crate::{answer, noise, received};

fn server(limits: &SocketLimits) -> Socket {
    ws_help::server(limits).deflate(&answer("permessage-deflate", &Deflate::default()).unwrap())
}

/// So many zeros, compressed by ours and sent by a client.
fn zeros(len: usize) -> Vec<u8> {
    let agreement = answer("permessage-deflate", &Deflate::default()).unwrap();
    let mut client = ws_help::client(&SocketLimits::default()).deflate(&agreement);
    let message = DataMessage::binary(vec![0; len]).with_compression(Compression::Always);
    client.writer().message(message).unwrap();
    written(client.io())
}

#[test]
fn a_message_of_the_limit_is_taken_and_a_byte_more_is_not() {
    let mut limits = SocketLimits::default();
    limits.message_bytes = 100_000;
    limits.streamed_bytes = 100_000;
    let make = || server(&limits);
    assert_eq!(received(make, &zeros(100_000)), [Got::Binary(vec![0; 100_000]), Got::Failure(None)]);
    assert_eq!(received(make, &zeros(100_001)), [Got::Failure(Some(1009))]);
    assert_eq!(received(make, &zeros(16 << 20)), [Got::Failure(Some(1009))]);
}

/// Pieces have a bound of their own, and the other is not for them.
#[test]
fn pieces_meet_their_own_limit() {
    let mut limits = SocketLimits::default();
    limits.message_bytes = 1000;
    limits.streamed_bytes = 100_000;
    let bytes = zeros(100_000);
    let (got, _) = run_cut(server(&limits), &bytes, &[50], true);
    assert_eq!(got, [Got::Binary(vec![0; 100_000]), Got::Failure(None)]);
    let (got, _) = run_cut(server(&limits), &zeros(100_001), &[50], true);
    assert_eq!(got, [Got::Failure(Some(1009))]);
    let (got, _) = run_cut(server(&limits), &bytes, &[50], false);
    assert_eq!(got, [Got::Failure(Some(1009))]);
}

/// Compressed bytes that say nothing are bounded as well.
#[test]
fn what_is_on_the_wire_meets_the_limits() {
    let mut limits = SocketLimits::default();
    (limits.frame_bytes, limits.message_bytes, limits.streamed_bytes) = (1000, 5000, 5000);
    let empty_blocks = b"\0\0\0\xff\xff".repeat(200);
    let frames = |count: usize| {
        let mut bytes = masked(0x42, &empty_blocks);
        for _ in 1..count {
            bytes.extend(masked(0, &empty_blocks));
        }
        bytes.extend(masked(0x80, b"\0"));
        bytes
    };
    let make = || server(&limits);
    let taken = [Got::Binary(vec![]), Got::Failure(None)];
    // An eighth more, and 64 bytes: 5,689 of which the last frame has one.
    assert_eq!(received(make, &frames(5)), taken);
    assert_eq!(received(make, &frames(6)), [Got::Failure(Some(1009))]);
    // A frame of a whole message; whoever takes pieces has no limit for frames.
    let (got, _) = run_cut(make(), &masked(0xc2, &[0; 1190]), &[7], false);
    assert_eq!(got, [Got::Failure(Some(1009))]);
    // What does not get smaller may be as long as the limit all the same.
    (limits.message_bytes, limits.streamed_bytes) = (1000, 1000);
    let content = noise(1000);
    let stored = [&b"\0\xe8\x03\x17\xfc"[..], &content, b"\0"].concat();
    assert_eq!(
        received(|| server(&limits), &masked(0xc2, &stored)),
        [Got::Binary(content), Got::Failure(None)]
    );
    // Fragments of nothing.
    let mut limits = SocketLimits::default();
    limits.fragments = 10;
    let nothing = |count: usize| {
        let mut bytes = masked(0x42, b"");
        for _ in 0..count {
            bytes.extend(masked(0, b""));
        }
        bytes.extend(masked(0x80, b"\0"));
        bytes
    };
    let make = || server(&limits);
    assert_eq!(received(make, &nothing(8)), taken);
    assert_eq!(received(make, &nothing(20)), [Got::Failure(Some(1008))]);
}

/// A bomb does not hold up the other connections of its thread: it is decompressed in steps, and between two steps the
/// transport's side says that the state is to be asked again.
#[test]
fn a_bomb_is_decompressed_in_steps() {
    const LEN: usize = 16 << 20;
    let bytes = zeros(LEN);
    for pieces in [false, true] {
        let mut socket = server(&SocketLimits::default());
        assert_eq!(feed(socket.io(), &bytes), bytes.len());
        let (mut steps, mut len) = (0, 0);
        while len < LEN {
            let is_ready = if pieces { socket.ready_piece() } else { socket.ready() };
            if !is_ready {
                assert!(socket.is_busy(), "it waits for nothing that comes");
                assert_eq!(look(socket.io(), 0), Arrived::Something);
                steps += 1;
                continue;
            }
            assert!(!socket.is_busy());
            if pieces {
                if let Some(Piece::Binary(data)) = socket.piece() {
                    len += data.len();
                }
            } else if let Some(Event::Binary(data)) = socket.event() {
                len += data.len();
            }
        }
        assert_eq!(len, LEN);
        // A question and a look: two steps of 128 KiB and a block.
        assert!(pieces || steps >= LEN / (2 * (144 << 10)), "{steps} steps");
    }
}
