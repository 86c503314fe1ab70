//! Any limit may be 0, 1 or as large as its type: nothing panics or hangs, and memory follows what came.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_core,
    clippy::decimal_bitwise_operands,
    reason = "a test may panic"
)]

#[path = "ws_help/mod.rs"]
mod ws_help;

use core::convert::Infallible;
use std::time::Duration;

use endwell_core::http::{self, FieldSection, Framing, Method};
use endwell_core::ws::Event;
use endwell_core::ws::{self, Agreement, CloseCode, Deflate};
use endwell_core::{Ending, Instant, Io, Look, OutboxLimits, Pace, Total};
use endwell_core_tests::asking::{Ask, Asking, Pieces, head};
use endwell_core_tests::connection::Connection;
use endwell_core_tests::counting::{Counting, most};
use endwell_core_tests::io::{feed, written};
use endwell_core_tests::plan::{self, Plan};
use endwell_core_tests::random::Random;
use ws_help::{KEY, client_with, frame, receive, receive_pieces, server_with};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What the largest conversation below may hold at once: it says 30 KB, and a compressor and an inflater take 470 KiB.
const HELD: usize = 1 << 20;

/// Fails if more is held than follows from what came.
fn bounded(what: &str, limits: &dyn std::fmt::Debug, run: impl FnOnce()) {
    let (held, ()) = most(run);
    assert!(held < HELD, "{what}: {held} bytes are held with {limits:?}");
}

/// Values at the ends of a range, and its default.
struct Extremes(Random);

impl Extremes {
    fn size(&mut self, default: usize) -> usize {
        *self.0.pick(&[0, 1, usize::MAX, usize::MAX - 1, default, default])
    }

    fn bytes(&mut self, default: u64) -> u64 {
        *self.0.pick(&[0, 1, u64::MAX, u64::MAX - 1, default, default])
    }

    fn time(&mut self, default: Duration) -> Duration {
        let most = Duration::MAX;
        *self.0.pick(&[Duration::ZERO, Duration::from_nanos(1), most, default, default])
    }

    fn maybe<T>(&mut self, value: T) -> Option<T> {
        if self.0.one_in(4) { None } else { Some(value) }
    }

    fn pace(&mut self) -> Pace {
        let silence = self.time(Duration::from_secs(10));
        let total = Total { base: self.time(Duration::from_secs(10)), bytes_per_second: self.bytes(500) };
        Pace { silence: self.maybe(silence), total: self.maybe(total) }
    }

    fn outbox(&mut self) -> OutboxLimits {
        let usual = OutboxLimits::default();
        // Below that no chunk fits, and nothing would be written: who embeds the core is told so.
        let bytes = self.size(usual.bytes).max(4096);
        OutboxLimits { bytes, high_water: self.size(usual.high_water).min(bytes), pace: self.pace() }
    }

    fn http(&mut self) -> http::HttpLimits {
        let mut limits = http::HttpLimits::default();
        limits.head_bytes = self.size(limits.head_bytes);
        limits.target_bytes = self.size(limits.target_bytes);
        limits.fields = self.size(limits.fields);
        limits.trailer_bytes = self.size(limits.trailer_bytes);
        limits.chunk_extension_bytes = self.size(limits.chunk_extension_bytes);
        limits.body_bytes = self.bytes(limits.body_bytes);
        limits.received_bytes = self.size(limits.received_bytes);
        limits.first_byte_time = self.time(limits.first_byte_time);
        limits.head_time = self.time(limits.head_time);
        limits.idle_time = self.time(limits.idle_time);
        let response_time = self.time(Duration::from_secs(60));
        limits.response_time = self.maybe(response_time);
        limits.continue_time = self.time(limits.continue_time);
        limits.interim_responses = self.size(limits.interim_responses);
        limits.request_pace = self.pace();
        limits.response_pace = self.pace();
        limits.drain_bytes = self.bytes(limits.drain_bytes);
        limits.linger_time = self.time(limits.linger_time);
        limits
    }

    fn web_socket(&mut self) -> ws::SocketLimits {
        let mut limits = ws::SocketLimits::default();
        limits.frame_bytes = self.bytes(limits.frame_bytes);
        limits.message_bytes = self.bytes(limits.message_bytes);
        limits.streamed_bytes = self.bytes(limits.streamed_bytes);
        limits.fragments = self.size(limits.fragments);
        limits.message_pace = self.pace();
        let interval = self.time(Duration::from_secs(20));
        limits.ping_interval = self.maybe(interval);
        limits.pong_time = self.time(limits.pong_time);
        limits.close_time = self.time(limits.close_time);
        limits.received_bytes = self.size(limits.received_bytes);
        limits
    }

    fn deflate(&mut self) -> Deflate {
        let mut deflate = Deflate::default();
        deflate.level = *self.0.pick(&[0, 1, u8::MAX, 6]);
        deflate.memory_level = *self.0.pick(&[0, 1, u8::MAX, 8]);
        deflate.least = self.size(deflate.least);
        deflate.sent_context = self.size(deflate.sent_context);
        deflate
    }
}

const ROUNDS: u64 = 1000;
const WAITS: [Duration; 4] =
    [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(30), Duration::MAX];

/// Forty fields, so that the table of the first try is too small.
fn many_fields() -> String {
    "a: b\r\n".repeat(40)
}

#[test]
fn a_server_with_any_limits() {
    let trailers = {
        let mut section = FieldSection::new();
        section.push(http::Field::new("sum", b"1").unwrap());
        section
    };
    let input = [
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(),
        format!("GET /{} HTTP/1.1\r\nHost: h\r\n{}\r\n", "a".repeat(300), many_fields()),
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nsum: 1\r\n\r\n".to_owned(),
        format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9000\r\n\r\n{}", "b".repeat(9000)),
        "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi".to_owned(),
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\nhi".to_owned(),
    ]
    .concat();
    for seed in 0..ROUNDS {
        let mut extremes = Extremes(Random::new(seed));
        let (limits, outbox) = (extremes.http(), extremes.outbox());
        let trailers = trailers.clone();
        let reads = extremes.0.one_in(2);
        bounded("server", &(&limits, outbox, seed), || {
            let mut connection = Connection::with(limits.clone(), outbox, move |request| {
                if reads {
                    return plan::echo(request);
                }
                Plan::pieces(Framing::Chunked, &[b"some", b"thing"]).trailing(trailers.clone()).unread()
            });
            let mut rest = input.as_bytes();
            for wait in WAITS {
                let (now, later) = rest.split_at(rest.len() / 2);
                let mut now = now;
                // What is not taken is left in the kernel: the outbox may be above its mark.
                for _ in 0..20 {
                    let taken = connection.feed(now);
                    now = &now[taken..];
                    connection.take(usize::MAX);
                }
                rest = if now.is_empty() { later } else { rest };
                connection.silence(wait);
                connection.deadline();
            }
            connection.end();
            connection.take(usize::MAX);
            connection.silence(Duration::MAX);
            connection.silence(Duration::MAX);
        });
    }
}

#[test]
fn a_client_with_any_limits() {
    let response = [
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n{}\r\n{}", many_fields(), "b".repeat(9000)),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nsum: 1\r\n\r\n"
            .to_owned(),
        "HTTP/1.1 200 OK\r\n\r\nuntil the close".to_owned(),
    ]
    .concat();
    for seed in 0..ROUNDS {
        let mut extremes = Extremes(Random::new(seed));
        let (limits, outbox) = (extremes.http(), extremes.outbox());
        let content = || Pieces::new(Framing::Length(8), &[b"some", b"body"]);
        let asks = [
            Ask::Expecting(head(Method::Put), content()),
            Ask::get(),
            Ask::Pieces(head(Method::Put), content()),
        ];
        bounded("client", &(&limits, outbox, seed), || {
            let mut asking = Asking::with(limits.clone(), outbox, &asks);
            let step = response.len().div_ceil(WAITS.len());
            for (piece, wait) in response.as_bytes().chunks(step).zip(WAITS) {
                asking.take(usize::MAX);
                asking.feed(piece);
                asking.silence(wait);
                asking.deadline();
            }
            asking.end();
            asking.take(usize::MAX);
            asking.silence(Duration::MAX);
        });
    }
}

/// Frames of a peer: plain and compressed messages, whole and in fragments, controls, and a Close.
fn conversation(key: Option<[u8; 4]>) -> Vec<u8> {
    [
        frame(0x81, b"small", key),
        frame(0x82, &[7; 300], key),
        frame(0x01, &[b'a'; 2000], key),
        frame(0x89, b"ping", key),
        frame(0x80, &[b'b'; 2000], key),
        // "Hello" of RFC 7692 7.2.3.1, in one frame and in two.
        frame(0xc1, b"\xf2\x48\xcd\xc9\xc9\x07\0", key),
        frame(0x41, b"\xf2\x48\xcd", key),
        frame(0x80, b"\xc9\xc9\x07\0", key),
        frame(0x8a, b"pong", key),
        frame(0x88, b"\x03\xe8", key),
    ]
    .concat()
}

/// A read finds nothing at this moment, and a write takes nothing.
fn look<'a>(io: Io<'a>, now: Instant, left: &'a dyn Fn() -> Option<u64>) {
    let mut io = io.unacknowledged(left);
    let Ok(_) = io.write(now, |_| Ok::<_, Infallible>(None));
    let Ok(_) = io.read(now, |_| Ok::<_, Infallible>(Look::Nothing));
}

#[test]
fn a_web_socket_with_any_limits() {
    for seed in 0..ROUNDS {
        let mut extremes = Extremes(Random::new(seed));
        let (limits, outbox, deflate) = (extremes.web_socket(), extremes.outbox(), extremes.deflate());
        let (client, in_pieces, closes) = (extremes.0.one_in(2), extremes.0.one_in(2), extremes.0.one_in(3));
        let bytes = conversation((!client).then_some(KEY));
        bounded("WebSocket", &(&limits, outbox, seed), || {
            let agreement =
                Agreement::answer([&b"permessage-deflate"[..]], &deflate.into()).unwrap().unwrap();
            let socket = if client { client_with(&limits, outbox) } else { server_with(&limits, outbox) };
            let mut socket = socket.deflate(&agreement);
            socket.writer().text("hello").unwrap();
            let large = ws::DataMessage::binary(vec![7; 9000]);
            let _full = socket.writer().message(large.with_compression(ws::Compression::Always));
            let (mut message, mut now) = (None, Instant::default());
            let step = bytes.len().div_ceil(WAITS.len());
            for (piece, wait) in bytes.chunks(step).zip(WAITS) {
                let mut rest = piece;
                while !rest.is_empty() {
                    let taken = feed(socket.io(), rest);
                    rest = &rest[taken..];
                    if in_pieces {
                        receive_pieces(&mut socket, &mut message);
                    } else {
                        receive(&mut socket);
                    }
                    assert!(taken > 0, "a socket that waits leaves room");
                }
                now = now.saturating_add(wait);
                look(socket.io(), now, &|| Some(wait.as_secs()));
                if closes {
                    break;
                }
            }
            let mut closing = if extremes.0.one_in(2) {
                socket.close(CloseCode::NORMAL.into())
            } else {
                let mut receiving = socket.close_writing(CloseCode::NORMAL.into());
                feed(receiving.io(), &bytes);
                look(receiving.io(), now, &|| None);
                while !matches!(receiving.event(), None | Some(Event::Close(_) | Event::Failed(_))) {}
                receiving.discard()
            };
            written(closing.io());
            feed(closing.io(), &bytes);
            for wait in [Duration::ZERO, Duration::ZERO, Duration::MAX, Duration::MAX, Duration::MAX] {
                now = now.saturating_add(wait);
                look(closing.io(), now, &|| Some(0));
                closing = match closing.poll() {
                    Ending::Wait(closing) | Ending::EndWrite(closing) => closing,
                    Ending::Done(_) => return,
                    Ending::Reset(ended) => panic!("{ended}"),
                };
            }
            panic!("it waits for ever");
        });
    }
}
