//! What is held, measured by counting the allocator's bytes (S31, S33).
#![allow(clippy::unwrap_used, clippy::std_instead_of_core, reason = "a test may panic")]

mod ws_help;

use endwell_core::http::Streaming;
use endwell_core::http::client::{Call, ClientConnection, Sent};
use endwell_core::http::server::{Exchange, ServerConnection};
use endwell_core::ws::{Close, CloseCode, SocketLimits};
use endwell_core::ws::{Event, Piece, Receiving, Socket, Within};
use endwell_core::{Closing, Ending, Io, Upgraded};
use endwell_core_tests::counting::{self, Counting, most};
use endwell_core_tests::io::{self, take};
use ws_help::{masked, server};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Feeds a part of `bytes`, and leaves the rest.
fn some(io: Io<'_>, bytes: &mut &[u8]) {
    let fed = io::feed(io, bytes.get(..4096).unwrap_or(bytes));
    *bytes = bytes.get(fed..).unwrap_or_default();
}

fn feed(socket: &mut Socket, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        some(socket.io(), &mut bytes);
        while let Some(event) = socket.event() {
            drop(event);
            take(socket.io(), usize::MAX);
        }
    }
}

/// Feeds `bytes` and takes what came of a message, until more than `wanted` bytes were; then the rest is skipped.
fn take_pieces(socket: &mut Socket, mut bytes: &[u8], wanted: usize) -> usize {
    let mut taken = 0;
    while !bytes.is_empty() {
        some(socket.io(), &mut bytes);
        while taken <= wanted && wanted > 0 {
            match socket.piece() {
                None => break,
                Some(Piece::Text(text)) => taken += text.len(),
                Some(Piece::Binary(data)) => taken += data.len(),
                Some(Piece::Start(_) | Piece::End) => {}
                Some(other) => panic!("{other:?}"),
            }
        }
        if taken > wanted || wanted == 0 {
            assert!(socket.event().is_none());
        }
    }
    taken
}

/// What comes once our Close is written is discarded as it comes, a message under way included.
fn what_comes_after_our_close() {
    let (mut start, plain) = (masked(0x01, b"begun"), vec![b'x'; 4096]);
    start.extend([0x80, 0xff]);
    start.extend((64_u64 << 20).to_be_bytes());
    start.extend([7; 4]);
    let (held, ()) = most(|| {
        let mut socket = server(&SocketLimits::default());
        feed(&mut socket, start.get(..11).unwrap_or_default());
        let mut closing = socket.close(CloseCode::NORMAL.into());
        take(closing.io(), usize::MAX);
        io::feed(closing.io(), start.get(11..).unwrap_or_default());
        for _ in 0..(32 << 20) / plain.len() {
            let Ending::Wait(waiting) = closing.poll() else { panic!("it waits for the peer's Close") };
            closing = waiting;
            assert_eq!(io::feed(closing.io(), &plain), plain.len());
        }
    });
    println!("{held} bytes held of 32 MiB that are discarded");
    assert!(held < 20_000, "{held} bytes");
}

/// One test, because the counters are one: tests of one program run side by side.
#[test]
fn memory_follows_the_bytes_that_came() {
    // An announced length takes nothing.
    let (held, ()) = most(|| {
        let mut socket = server(&SocketLimits::default());
        let mut bytes = vec![0x82, 0xff];
        bytes.extend((16_u64 << 20).to_be_bytes());
        bytes.extend([0; 4 + 1000]);
        feed(&mut socket, &bytes);
    });
    assert!(held < 12_000, "{held} bytes for 1,014");

    // A whole message of the largest size takes itself, as much again for the moment in which its memory grows (this
    // allocator moves it each time), and one read.
    let (frame, limit) = (masked(0x82, &vec![7; 16 << 20]), 16 << 20);
    let (held, ()) = most(|| feed(&mut server(&SocketLimits::default()), &frame));
    assert!(held < 2 * limit + 300_000, "{held} bytes");
    drop(frame);

    // Text in fragments, cut within characters: the same.
    let piece = masked(0x00, "水".repeat(5000).as_bytes().get(1..).unwrap_or_default());
    let mut bytes = masked(0x01, "水".repeat(5001).as_bytes().get(..15_001).unwrap_or_default());
    for _ in 0..20 {
        bytes.extend(&piece);
        bytes.extend(masked(0x00, "水".as_bytes().get(..1).unwrap_or_default()));
    }
    let (held, ()) = most(|| feed(&mut server(&SocketLimits::default()), &bytes));
    assert!(held < 3 * 315_000 + 20_000, "{held} bytes for {}", bytes.len());

    // A hundred thousand pings: flat.
    let pings = masked(0x89, &[1; 125]).repeat(100_000);
    let (held, ()) = most(|| feed(&mut server(&SocketLimits::default()), &pings));
    assert!(held < 20_000, "{held} bytes");
    drop(pings);

    // 64 MiB in pieces, taken or not, through a few KiB: one frame, and fragments of text cut within characters.
    let mut giant = vec![0x82, 0xff];
    giant.extend((64_u64 << 20).to_be_bytes());
    giant.extend([7; 4]);
    let plain = vec![9; 4096];
    let text = "水".repeat(4096 / 3);
    let fragment = masked(0x00, text.as_bytes());
    let cut = [masked(0x00, b"\xe6\xb0"), masked(0x00, b"\xb4")].concat();
    let begun = masked(0x01, b"");
    let fragments = [fragment, cut].concat();
    for taken in [usize::MAX, 3] {
        for (start, more, bytes) in [(&giant, &plain, 64 << 20), (&begun, &fragments, (4095 + 3) << 14)] {
            let rounds = if start == &begun { 1 << 14 } else { bytes / more.len() };
            let mut got = 0;
            let (held, ()) = most(|| {
                let mut socket = server(&SocketLimits::default());
                got += take_pieces(&mut socket, start, taken);
                for _ in 0..rounds {
                    got += take_pieces(&mut socket, more, taken - got.min(taken));
                }
            });
            println!("{held} bytes held of {bytes} in pieces");
            assert!(held < 20_000, "{held} bytes for {bytes}");
            assert!(got == bytes || got > taken, "{got} of {bytes} were taken");
        }
    }

    what_comes_after_our_close();

    // Between messages nothing is held but the socket's own fields, once the lent buffers are taken back.
    let (idle, ()) = most(|| {
        let mut socket = server(&SocketLimits::default());
        let before = counting::held();
        for _ in 0..2 {
            socket.io().lend(bytes::BytesMut::zeroed(128 << 10)).unwrap();
            socket.io().lend_output(Vec::with_capacity(4096)).unwrap();
            io::feed(socket.io(), &masked(0x81, b"hello"));
            let (Some(Event::Text(text)), mut writer) = socket.split() else { panic!("text") };
            writer.text(&text).unwrap();
            take(socket.io(), usize::MAX);
            drop(socket.io().reclaim());
            drop(socket.io().reclaim_output());
            assert_eq!(counting::held(), before, "an idle connection holds no buffer");
        }
    });
    assert!(idle < 140_000);
    let (idle, ()) = most(|| drop(server(&SocketLimits::default())));
    println!("{idle} bytes held by an idle socket and its limits");
    assert!(idle <= 700, "{idle} bytes");

    let sizes = [
        ("Socket", size_of::<Socket>(), 8),
        ("Socket<Within>", size_of::<Socket<Within>>(), 16),
        ("Receiving", size_of::<Receiving>(), 40),
        ("Closing", size_of::<Closing>(), 8),
        ("Upgraded", size_of::<Upgraded>(), 8),
        ("Server", size_of::<ServerConnection>(), 8),
        ("Exchange", size_of::<Exchange>(), 24),
        ("Exchange<Streaming>", size_of::<Exchange<Streaming>>(), 40),
        ("Client", size_of::<ClientConnection>(), 8),
        ("Call<Sent>", size_of::<Call<Sent>>(), 24),
        ("Event", size_of::<Event<'_>>(), 32),
        ("Piece", size_of::<Piece<'_>>(), 32),
        ("Close", size_of::<Close>(), 24),
    ];
    for (name, size, at_most) in sizes {
        println!("{name}: {size} bytes");
        assert!(size <= at_most, "{name} has grown to {size} bytes");
    }
}
