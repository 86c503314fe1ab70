//! The bytes that one connection holds are bounded, measured with a counting allocator.
#![expect(
    clippy::unwrap_used,
    clippy::std_instead_of_core,
    reason = "a test fails by panicking; `GlobalAlloc` is named as usual"
)]

use bytes::{Buf, Bytes};
use core::cell::Cell;
use endwell_core::http::server::{Event, Exchange, Next, ResponseBody, Server};
use endwell_core::http::{Framing, Head, Limits, StatusCode};
use endwell_core::{Inbox, Instant, Outbox, OutboxLimits, Step};
use std::alloc::{GlobalAlloc, Layout, System};

/// Counts per thread, so that tests side by side do not disturb each other.
struct Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    let live = LIVE.get() + change;
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
}

// SAFETY: every call goes to the system's allocator unchanged; the counters do not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(isize::try_from(layout.size()).unwrap_or(isize::MAX));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-isize::try_from(layout.size()).unwrap_or(isize::MAX));
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most that is held while `run` runs, above what was held before.
fn peak(run: impl FnOnce()) -> usize {
    let before = LIVE.get();
    PEAK.set(before);
    run();
    usize::try_from(PEAK.get() - before).unwrap()
}

/// Twice the inbox (a growing buffer is copied, and a head shares its buffer until the request is gone), and a
/// constant for the head's table of fields, small values and the tests' own pieces.
fn receiving(limits: &Limits) -> usize {
    2 * limits.received_bytes + (32 << 10)
}

/// Joined pieces are a growing vector: old and new at once, each with as much room again.
fn sending(limits: &OutboxLimits) -> usize {
    3 * limits.bytes
}

const HOSTILE: usize = 16 << 20;

/// Feeds `piece` again and again, as far as the inbox takes it.
fn flood(inbox: &mut Inbox, piece: &[u8], fed: &mut usize) -> usize {
    let taken = inbox.feed(piece);
    *fed += taken;
    taken
}

fn open(input: &[u8]) -> Exchange {
    let mut server = Server::new(Limits::default().into());
    server.inbox().feed(input);
    let Ok(Step::Done(Next::Exchange(exchange))) = server.poll() else { panic!("a whole request") };
    exchange
}

#[test]
fn heads_without_end_are_held_up_to_the_limit() {
    for (start, piece) in [
        (&b""[..], &[b'A'; 1000][..]),
        (b"GET / HTTP/1.1\r\n", b"a: b\r\n"),
        (b"GET / HTTP/1.1\r\n", b"a:\r\n"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nCookie: ", b"aaaaaaaaaaaaaaaa"),
        (b"GET /", b"%41"),
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", b"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"),
    ] {
        let held = peak(|| {
            let mut server = Server::new(Limits::default().into());
            server.inbox().feed(start);
            let mut out = Outbox::default();
            let mut fed = 0;
            while fed < HOSTILE {
                flood(server.inbox(), piece, &mut fed);
                server = match server.poll() {
                    Ok(Step::Wait(server)) => server,
                    Ok(Step::Done(Next::Exchange(exchange))) => {
                        let Exchange { mut recv, send, .. } = exchange;
                        let head = Head::new(StatusCode::OK);
                        let sent = send.respond(&head, Bytes::new(), None, &mut recv, &mut out);
                        out.advance(out.remaining());
                        let endwell_core::http::server::After::Again(server) = recv.after(sent) else {
                            panic!("kept")
                        };
                        server
                    }
                    Ok(Step::Done(Next::Closed(_))) => panic!("the stream has not ended"),
                    Err(refusal) => {
                        let mut linger = refusal.write(None, &mut out);
                        while fed < HOSTILE {
                            flood(linger.inbox(), piece, &mut fed);
                            let Step::Wait(next) = linger.poll(Instant::default()) else { panic!("no time") };
                            linger = next;
                        }
                        return;
                    }
                };
            }
        });
        assert!(held <= receiving(&Limits::default()), "{held} held: {}", piece.escape_ascii());
    }
}

#[test]
fn a_body_that_nobody_reads_waits_in_the_kernel() {
    let mut fed = 0;
    let held = peak(|| {
        let mut exchange = open(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n");
        while flood(exchange.recv.inbox(), &[b'b'; 1000], &mut fed) > 0 {}
    });
    assert!(fed <= Limits::default().received_bytes && fed > 60_000, "{fed}");
    assert!(held <= receiving(&Limits::default()), "{held}");
}

#[test]
fn a_body_that_is_read_flows_through() {
    let framings = [
        ("Content-Length: 100000000", &[b'b'; 1000][..]),
        ("Transfer-Encoding: chunked", b"1;a\r\nb\r\n"),
        ("Transfer-Encoding: chunked", b"FF\r\n"),
        ("Transfer-Encoding: chunked", b"0"),
    ];
    for (lines, piece) in framings {
        let held = peak(|| {
            let Exchange { mut recv, send, .. } =
                open(format!("POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n\r\n").as_bytes());
            let mut fed = 0;
            while fed < HOSTILE {
                flood(recv.inbox(), piece, &mut fed);
                loop {
                    match recv.poll() {
                        Ok(Some(ready)) => assert!(!matches!(recv.event(ready), Event::End)),
                        Ok(None) => break,
                        Err(_) => return,
                    }
                }
            }
            drop(send);
        });
        assert!(held <= receiving(&Limits::default()), "{held}: {lines} {}", piece.escape_ascii());
    }
}

#[test]
fn trailers_without_end_are_held_up_to_the_limit() {
    let held = peak(|| {
        let mut exchange = open(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n");
        let mut fed = 0;
        while exchange.recv.poll().is_ok() {
            let taken = flood(exchange.recv.inbox(), b"a: b\r\n", &mut fed);
            assert!(taken > 0 && fed < HOSTILE, "no limit");
        }
    });
    assert!(held <= receiving(&Limits::default()), "{held}");
}

fn stream(out: &mut Outbox) -> ResponseBody {
    let Exchange { recv, send, .. } = open(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    send.start(&Head::new(StatusCode::OK), Framing::Chunked, None, &recv, out)
}

/// The peer reads, and is always a little behind: the outbox is never empty.
#[test]
fn a_response_to_a_peer_that_is_always_behind_is_held_up_to_the_limit() {
    for size in [10, 1000, 5000] {
        let held = peak(|| {
            let limits = OutboxLimits { bytes: 64 << 10, ..OutboxLimits::default() };
            let mut out = Outbox::new(limits);
            let mut body = stream(&mut out);
            let mut sent = 0;
            while sent < HOSTILE {
                while body.write(Bytes::from(vec![b'x'; size]), &mut out).is_ok() {
                    assert!(out.len() <= limits.bytes, "{} bytes are queued", out.len());
                }
                let taken = out.remaining() - 1;
                sent += taken;
                out.advance(taken);
            }
        });
        let limits = OutboxLimits { bytes: 64 << 10, ..OutboxLimits::default() };
        assert!(held <= sending(&limits) + receiving(&Limits::default()), "{held} held in pieces of {size}");
    }
}

/// Requests are taken as long as the outbox is below its mark, and then the rest waits.
#[test]
fn pipelining_without_reading_is_held_up_to_the_limit() {
    let request = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    let limits = OutboxLimits::default();
    let held = peak(|| {
        let mut connection = endwell_core_tests::connection::Connection::new(|_| {
            endwell_core_tests::plan::Plan::full(200, &[b'x'; 500])
        });
        let mut fed = 0;
        while fed < HOSTILE {
            let taken = connection.feed(request);
            fed += taken;
            if taken == 0 {
                break;
            }
        }
        let queued = connection.queued();
        assert!(fed < HOSTILE && queued <= limits.high_water + 700, "{queued}");
    });
    // The harness notes every request down: about 1 KiB for each of the 120 that fit.
    let notes = 400 << 10;
    assert!(held <= 3 * limits.high_water + receiving(&Limits::default()) + notes, "{held}");
}
