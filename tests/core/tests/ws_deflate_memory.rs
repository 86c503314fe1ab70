//! What compression holds, measured by counting the allocator's bytes (S32, S33).
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::std_instead_of_core,
    reason = "a test may panic"
)]

mod ws_help;

use std::sync::Arc;

use endwell_core::OutboxLimits;
use endwell_core::ws::{Agreement, Cause, Compression, DataMessage, Deflate, Kind, SocketLimits, WindowBits};
use endwell_core::ws::{Event, Piece, Socket};
use endwell_core_tests::counting::{Counting, freed, left, most};
use endwell_core_tests::io::{self, take, written};
use ws_help::masked;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn agreement(deflate: &Arc<Deflate>) -> Agreement {
    let offer = b"permessage-deflate; client_max_window_bits";
    Agreement::answer([&offer[..]], deflate).unwrap().unwrap()
}

fn socket(limits: &SocketLimits, deflate: &Arc<Deflate>) -> Socket {
    ws_help::server(limits).deflate(&agreement(deflate))
}

/// Feeds `bytes` and takes what comes. How much came, and the cause if it failed.
fn feed(socket: &mut Socket, mut bytes: &[u8], pieces: bool) -> (usize, Option<Cause>) {
    let mut came = 0;
    while !bytes.is_empty() {
        let taken = io::feed(socket.io(), bytes.get(..4096).unwrap_or(bytes));
        bytes = bytes.get(taken..).unwrap_or_default();
        loop {
            let failure = if pieces {
                match socket.piece() {
                    None => break,
                    Some(Piece::Failed(failure)) => failure,
                    Some(piece) => {
                        came += match piece {
                            Piece::Text(text) => text.len(),
                            Piece::Binary(data) => data.len(),
                            _ => 0,
                        };
                        continue;
                    }
                }
            } else {
                match socket.event() {
                    None => break,
                    Some(Event::Failed(failure)) => failure,
                    Some(event) => {
                        came += match event {
                            Event::Text(text) => text.len(),
                            Event::Binary(data) => data.len(),
                            _ => 0,
                        };
                        continue;
                    }
                }
            };
            return (came, Some(failure.clone()));
        }
    }
    (came, None)
}

/// A client's message, compressed by itself.
fn compressed(data: Vec<u8>, form: fn(Vec<u8>) -> DataMessage) -> Vec<u8> {
    let deflate = Arc::new(Deflate::without_context());
    let mut client = ws_help::client(&SocketLimits::default()).deflate(&agreement(&deflate));
    client.writer().message(form(data).with_compression(Compression::Always)).unwrap();
    written(client.io())
}

fn text(data: Vec<u8>) -> DataMessage {
    DataMessage::text(String::from_utf8(data).unwrap())
}

/// One test, because the counters are one: tests of one program run side by side.
#[test]
fn bombs_and_idle_connections() {
    bombs();
    between_messages();
    while_a_message_is_under_way();
    after_a_large_message();
}

/// An inflater with its buffers, a message's state, and what the allocator rounds up.
const BLOCK: usize = 80 << 10;

fn bombs() {
    // 256 MiB as a client's frame of 261 KB; the same as text, in fragments, in final blocks, and as zeros that are
    // compressed twice.
    let zeros = compressed(vec![0; 256 << 20], DataMessage::binary);
    assert!(zeros.len() < 270_000, "{} bytes", zeros.len());
    let letters = compressed(vec![b'a'; 64 << 20], text);
    // Of the payload, unmasked, in fragments of a KiB.
    let key: Vec<u8> = zeros.iter().copied().skip(10).take(4).collect();
    let payload = zeros.iter().skip(14).zip(key.iter().cycle()).map(|(byte, key)| byte ^ key);
    let payload: Vec<u8> = payload.collect();
    let mut fragments = masked(0x42, &[]);
    for piece in payload.chunks(1000) {
        fragments.extend(masked(0, piece));
    }
    // A final block of 258 zeros and 100 more in a few bytes, again and again.
    let last = miniz(&vec![0; 100_000]);
    let finals = masked(0xc2, &last.repeat(1000));
    let deflate = Arc::new(Deflate::default());
    for limit in [0, 1000, 64 << 10, 1 << 20] {
        let mut limits = SocketLimits::default();
        (limits.message_bytes, limits.streamed_bytes) = (limit, limit);
        limits.frame_bytes = 16 << 20;
        limits.fragments = 1 << 20;
        for (name, bomb) in
            [("zeros", &zeros), ("text", &letters), ("fragments", &fragments), ("final blocks", &finals)]
        {
            for pieces in [false, true] {
                let (held, (came, cause)) = most(|| feed(&mut socket(&limits, &deflate), bomb, pieces));
                let code = cause.and_then(|cause| cause.code()).map(endwell_core::ws::CloseCode::number);
                println!(
                    "{name} of {} bytes, limit {limit}, in pieces {pieces}: {held} bytes held",
                    bomb.len()
                );
                let limit = usize::try_from(limit).unwrap();
                assert_eq!(code, Some(1009), "{name}, {limit}, {pieces}");
                assert!(came <= limit, "{came} bytes were handed out of {limit}");
                // Whole, a message is held as often as its memory moves when it grows; in pieces it is not held.
                let message = if pieces { 16 << 10 } else { limit * 2 };
                // The context that is kept, at the most, and what the inbox takes of one read.
                assert!(
                    held <= message + BLOCK + (32 << 10) + (16 << 10),
                    "{name}: {held} bytes, limit {limit}"
                );
            }
        }
    }
}

/// A final block with the bytes that an encoder of another project makes, as zlib's `Z_FINISH` ends it.
fn miniz(data: &[u8]) -> Vec<u8> {
    let mut stream = flate2::Compress::new(flate2::Compression::best(), false);
    let mut out = Vec::with_capacity(1000);
    stream.compress_vec(data, &mut out, flate2::FlushCompress::Finish).unwrap();
    out
}

/// A message of about a KiB that is like all others, each with its number.
fn line(number: usize) -> String {
    (0..16).fold(String::new(), |all, part| {
        all + &format!("{{\"id\":{number},\"part\":{part},\"name\":\"of no one\"}},")
    })
}

/// What one connection holds between messages, in each mode: measured, and as it says itself.
fn between_messages() {
    let mut narrow = Deflate::default();
    (narrow.received_context, narrow.sent_context) = (WindowBits::new(10), 1024);
    // Without compression, without context, by default, and narrow; before the first message and after many.
    for (name, deflate, before_any, after_many) in [
        ("none", None, 0, 0),
        ("without context", Some(Deflate::without_context()), 300, 300),
        ("by default", Some(Deflate::default()), 300, 300 + (36 << 10)),
        ("narrow", Some(narrow), 300, 300 + (2 << 10)),
    ] {
        let deflate = deflate.map(Arc::new);
        let limits = Arc::new(SocketLimits::default());
        let make = || {
            let socket = ws_help::server(&limits);
            match &deflate {
                None => socket,
                Some(deflate) => socket.deflate(&agreement(deflate)),
            }
        };
        let mut plain = None;
        let base = left(|| plain = Some(ws_help::server(&limits)));
        let mut open = None;
        let idle = left(|| open = Some(make())) - base;
        assert!(idle <= before_any, "{name}: {idle} bytes before a message");
        let mut socket = open.unwrap();
        let mut client = ws_help::client(&limits);
        let mut other = None;
        if let Some(deflate) = &deflate {
            // The peer has settings of its own: what is lent there is not lent here.
            let settings =
                if deflate.sent_context == 0 { Deflate::without_context() } else { Deflate::default() };
            let ours = agreement(deflate);
            let confirmed = Arc::new(settings).confirm([ours.field().as_bytes()]).unwrap().unwrap();
            client = ws_help::client(&limits).deflate(&confirmed);
            other = Some(confirmed);
        }
        // The pool and the buffers are made by the first, so that what is measured is what further messages leave.
        let mut echo = |number: usize, socket: &mut Socket| {
            client.writer().text(&line(number)).unwrap();
            let bytes = written(client.io());
            drop(client.io().reclaim_output());
            socket.io().lend(bytes::BytesMut::zeroed(64 << 10)).unwrap();
            let (came, cause) = feed(socket, &bytes, false);
            assert_eq!((came, cause), (line(number).len(), None));
            drop(socket.io().reclaim());
            socket.writer().text(&line(number)).unwrap();
            take(socket.io(), usize::MAX);
            drop(socket.io().reclaim_output());
        };
        {
            // Of another connection with the same settings.
            let mut first = make();
            let mut client = match &other {
                Some(agreement) => ws_help::client(&limits).deflate(agreement),
                None => ws_help::client(&limits),
            };
            client.writer().text(&line(1)).unwrap();
            feed(&mut first, &written(client.io()), false);
            first.writer().text(&line(1)).unwrap();
        }
        echo(0, &mut socket);
        let client_first = idle;
        let grown = left(|| (1..200).for_each(|number| echo(number, &mut socket)));
        // The client's half keeps what it sent, too: as much as it says.
        let said = socket.held_bytes();
        println!(
            "{name}: {idle} bytes at first, {said} said after 200 messages, {grown} grown on both sides"
        );
        assert!(said <= after_many + client_first, "{name}: {said} bytes");
        assert!(grown <= 2 * after_many, "{name}: {grown} bytes");
        let freed = freed(socket);
        println!("{name}: {freed} bytes freed with the socket, {base} without compression");
        assert!(freed <= after_many + base, "{name}: {freed} bytes");
        // What it says is what it has, beside its own fields and what it shares.
        assert!(freed.abs_diff(said) <= base.max(300), "{name}: {freed}, and it says {said}");
    }
}

/// What is lent for a message that is not whole yet, or that is written in pieces, is counted as well.
fn while_a_message_is_under_way() {
    let deflate = Arc::new(Deflate::without_context());
    let mut socket = socket(&SocketLimits::default(), &deflate);
    let bytes = compressed(line(1).repeat(100).into_bytes(), text);
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    let said = socket.held_bytes();
    let held = left(|| assert_eq!(feed(&mut socket, first, false), (0, None)));
    let lent = socket.held_bytes() - said;
    println!("half a message: {held} bytes held, {lent} said");
    assert!(lent <= held && held - lent < 30_000, "{held} held, {lent} said");
    feed(&mut socket, rest, false);
    assert!(socket.event().is_none());
    assert_eq!(socket.held_bytes(), said, "between messages nothing is lent");

    let mut begun = None;
    let held = left(|| {
        let mut within = socket.begin(Kind::Text);
        within.writer().write("a piece".into()).unwrap();
        begun = Some(within);
    });
    let within = begun.unwrap();
    let lent = within.held_bytes() - said;
    println!("a message in pieces: {held} bytes held, {lent} said");
    assert!(lent.abs_diff(held) < 30_000, "{held} held, {lent} said");
    assert_eq!(within.finish().unwrap().held_bytes(), said);
}

/// What a large message needed leaves with it: a compressor that is kept is as large as any.
fn after_a_large_message() {
    // Half of it shrinks, and the other does not.
    let mut number = 1_u32;
    let mut noise = || {
        number = number.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        number.to_be_bytes()[0]
    };
    let data: Vec<u8> = (0..4 << 20).map(|at: u32| if at % 2 == 0 { noise() } else { 0 }).collect();
    let incompressible: Vec<u8> = (0..4 << 20).map(|_| noise()).collect();
    let deflate = Arc::new(Deflate::without_context());
    let agreement = agreement(&deflate);
    for (name, data) in [("half of noise", &data), ("noise", &incompressible)] {
        let mut sent = None;
        let held = left(|| {
            let mut client = ws_help::client(&SocketLimits::default()).deflate(&agreement);
            client.writer().binary(data).unwrap();
            take(client.io(), usize::MAX);
            drop(client.io().reclaim_output());
            sent = Some(client);
        });
        println!("after a message of {name}: {held} bytes held");
        assert!(held < 500_000, "{name}: {held} bytes");
    }
    // What waits for the transport takes no more than twice what it says.
    let output = OutboxLimits { bytes: 16 << 20, ..OutboxLimits::default() };
    let mut sent = None;
    let held = left(|| {
        let mut server = ws_help::server_with(&SocketLimits::default(), output).deflate(&agreement);
        for part in data.chunks(10_000).take(100) {
            server.writer().binary(part).unwrap();
        }
        sent = Some(server);
    });
    let queued = sent.unwrap().io().queued();
    println!("{queued} bytes wait: {held} bytes held");
    assert!(held < 2 * queued + 100_000, "{held} bytes for {queued}");
    // Between the pieces of one as well.
    let held = left(|| {
        let mut within = ws_help::client(&SocketLimits::default()).deflate(&agreement).begin(Kind::Binary);
        within.writer().write(data.clone().into()).unwrap();
        take(within.io(), usize::MAX);
        drop(within.io().reclaim_output());
        let said = within.held_bytes();
        let had = freed(within);
        println!("between large pieces: {had} bytes held, {said} said");
        assert!(had < said + 30_000, "{had} bytes held, {said} said");
    });
    assert!(held < 500_000, "{held} bytes");
}
