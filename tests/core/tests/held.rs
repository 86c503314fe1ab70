//! The bytes that one connection holds are bounded, measured with a counting allocator.

use bytes::Bytes;
use endwell_core::http::client::{Again, CallEvent, ClientConnection};
use endwell_core::http::server::{After, Exchange, Next, ServerConnection};
use endwell_core::http::{BodyEvent, Framing, HttpLimits, Method, Request, Response, StatusCode, Streaming};
use endwell_core::{Ending, Io, OutboxLimits};
use endwell_core_tests::counting::{Counting, most};
use endwell_core_tests::io::{feed, take};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Twice the inbox (a growing buffer is copied, and a head shares its buffer until the request is gone), and a
/// constant for the head's table of fields, small values and the tests' own pieces.
fn receiving(limits: &HttpLimits) -> usize {
    2 * limits.received_bytes + (32 << 10)
}

/// Joined pieces are a growing vector: old and new at once, each with as much room again.
fn sending(limits: &OutboxLimits) -> usize {
    3 * limits.bytes
}

const HOSTILE: usize = 16 << 20;

/// Feeds `piece`, as far as there is room for it.
fn flood(io: Io<'_>, piece: &[u8], fed: &mut usize) -> usize {
    let taken = feed(io, piece);
    *fed += taken;
    taken
}

fn server(input: &[u8]) -> ServerConnection {
    let mut server = ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    feed(server.io(), input);
    server
}

fn open(input: &[u8]) -> Exchange {
    let Next::Request(_, exchange) = server(input).poll() else { panic!("a whole request") };
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
        let (held, ()) = most(|| {
            let mut server = server(start);
            let mut fed = 0;
            while fed < HOSTILE {
                flood(server.io(), piece, &mut fed);
                server = match server.poll() {
                    Next::Wait(server) => server,
                    Next::Request(_, exchange) => {
                        let head = Response::new(StatusCode::OK);
                        let After::Again(mut server) = exchange.respond(&head, Bytes::new(), None).next()
                        else {
                            panic!("kept")
                        };
                        take(server.io(), usize::MAX);
                        server
                    }
                    Next::Closing(_) => panic!("the stream has not ended"),
                    Next::Refused(refusal) => {
                        let mut closing = refusal.answer(None);
                        take(closing.io(), usize::MAX);
                        while fed < HOSTILE {
                            flood(closing.io(), piece, &mut fed);
                            let (Ending::Wait(next) | Ending::EndWrite(next)) = closing.poll() else {
                                panic!("no time")
                            };
                            closing = next;
                        }
                        return;
                    }
                };
            }
        });
        assert!(held <= receiving(&HttpLimits::default()), "{held} held: {}", piece.escape_ascii());
    }
}

#[test]
fn a_body_that_nobody_reads_waits_in_the_kernel() {
    let mut fed = 0;
    let (held, ()) = most(|| {
        let mut exchange = open(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n");
        while flood(exchange.io(), &[b'b'; 1000], &mut fed) > 0 {}
    });
    assert!(fed <= HttpLimits::default().received_bytes && fed > 60_000, "{fed}");
    assert!(held <= receiving(&HttpLimits::default()), "{held}");
}

/// The rest of a body whose response is complete is discarded as it comes.
#[test]
fn a_body_that_is_not_worth_reading_is_not_held() {
    let mut fed = 0;
    let (held, ()) = most(|| {
        let head = Response::new(StatusCode::OK);
        let exchange = open(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
        let writing = exchange.start(&head, Framing::Length(0), None);
        let Ok(answered) = writing.finish(None) else { panic!("it has no content") };
        let After::Again(mut server) = answered.next() else { panic!("it may be worth reading") };
        let mut closing = loop {
            flood(server.io(), b"3E8\r\n", &mut fed);
            flood(server.io(), &[b'b'; 1000], &mut fed);
            flood(server.io(), b"\r\n", &mut fed);
            server = match server.poll() {
                Next::Wait(server) => server,
                Next::Closing(closing) => break closing,
                other @ (Next::Request(..) | Next::Refused(_)) => panic!("{other:?}"),
            };
            assert!(fed < HOSTILE, "no limit");
        };
        take(closing.io(), usize::MAX);
        while fed < HOSTILE {
            flood(closing.io(), &[b'b'; 1000], &mut fed);
            let (Ending::Wait(next) | Ending::EndWrite(next)) = closing.poll() else { panic!("no time") };
            closing = next;
        }
    });
    assert!(held <= receiving(&HttpLimits::default()), "{held}");
}

const FRAMINGS: [(&str, &[u8]); 4] = [
    ("Content-Length: 100000000", &[b'b'; 1000]),
    ("Transfer-Encoding: chunked", b"1;a\r\nb\r\n"),
    ("Transfer-Encoding: chunked", b"FF\r\n"),
    ("Transfer-Encoding: chunked", b"0"),
];

#[test]
fn a_body_that_is_read_flows_through() {
    for (lines, piece) in FRAMINGS {
        let (held, ()) = most(|| {
            let mut exchange = open(format!("POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n\r\n").as_bytes());
            let mut fed = 0;
            while fed < HOSTILE {
                flood(exchange.io(), piece, &mut fed);
                loop {
                    match exchange.body().event() {
                        Some(BodyEvent::Failed(_)) => return,
                        Some(event) => assert!(!matches!(event, BodyEvent::End)),
                        None => break,
                    }
                }
            }
        });
        assert!(held <= receiving(&HttpLimits::default()), "{held}: {lines} {}", piece.escape_ascii());
    }
}

#[test]
fn a_response_flows_through_and_interim_ones_leave_nothing() {
    let request = Request::new(Method::Get, "h", "/").unwrap();
    for (lines, piece) in FRAMINGS {
        let (held, ()) = most(|| {
            let client = ClientConnection::new(HttpLimits::default().into(), OutboxLimits::default());
            let mut call = client.send(&request, Bytes::new());
            for _ in 0..5 {
                feed(call.io(), b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n");
                assert!(matches!(call.answer().event(), Some(CallEvent::Interim(_))));
            }
            feed(call.io(), format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\n").as_bytes());
            let mut fed = 0;
            while fed < HOSTILE {
                flood(call.io(), piece, &mut fed);
                loop {
                    match call.answer().event() {
                        Some(CallEvent::Failed(_)) => return,
                        Some(event) => assert!(!matches!(event, CallEvent::End)),
                        None => break,
                    }
                }
            }
            assert!(matches!(call.next(), Again::Unread(_)));
        });
        assert!(held <= receiving(&HttpLimits::default()), "{held}: {lines} {}", piece.escape_ascii());
    }
}

#[test]
fn trailers_without_end_are_held_up_to_the_limit() {
    let (held, ()) = most(|| {
        let mut exchange = open(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n");
        let mut fed = 0;
        while exchange.body().event().is_none() {
            let taken = flood(exchange.io(), b"a: b\r\n", &mut fed);
            assert!(taken > 0 && fed < HOSTILE, "no limit");
        }
        assert!(matches!(exchange.body().event(), Some(BodyEvent::Failed(_))));
    });
    assert!(held <= receiving(&HttpLimits::default()), "{held}");
}

fn stream(limits: OutboxLimits) -> Exchange<Streaming> {
    let mut server = ServerConnection::new(HttpLimits::default().into(), limits);
    feed(server.io(), b"GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    let Next::Request(_, exchange) = server.poll() else { panic!("a whole request") };
    exchange.start(&Response::new(StatusCode::OK), Framing::Chunked, None)
}

/// The peer reads, and is always a little behind: something is always queued.
#[test]
fn a_response_to_a_peer_that_is_always_behind_is_held_up_to_the_limit() {
    let limits = OutboxLimits { bytes: 64 << 10, ..OutboxLimits::default() };
    for size in [10, 1000, 5000] {
        let (held, ()) = most(|| {
            let mut exchange = stream(limits);
            let mut sent = 0;
            while sent < HOSTILE {
                while exchange.writer().write(Bytes::from(vec![b'x'; size])).is_ok() {
                    let queued = exchange.io().queued();
                    assert!(queued <= limits.bytes, "{queued} bytes are queued");
                }
                let behind = exchange.io().queued() - 1;
                sent += take(exchange.io(), behind);
            }
        });
        assert!(
            held <= sending(&limits) + receiving(&HttpLimits::default()),
            "{held} held in pieces of {size}"
        );
    }
}

/// Requests are taken as long as the outbox is below its mark, and then the rest waits.
#[test]
fn pipelining_without_reading_is_held_up_to_the_limit() {
    let request = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    let limits = OutboxLimits::default();
    let (held, ()) = most(|| {
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
    assert!(held <= 3 * limits.high_water + receiving(&HttpLimits::default()) + notes, "{held}");
}
