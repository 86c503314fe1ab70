//! Requests, and whole exchanges of a server.

use bytes::{Bytes, BytesMut};
use endwell_core::OutboxLimits;
use endwell_core::http::server::{After, Exchange, Next, ServerConnection};
use endwell_core::http::{BodyEvent, Date, HttpLimits, Response, StatusCode};

use crate::{Case, read, write};

pub(crate) const CASES: &[Case] = &[
    ("exchange", |times| exchanges(SMALL.as_bytes(), 1, times)),
    ("exchange-of-a-browser", |times| exchanges(BROWSER.as_bytes(), 1, times)),
    ("exchange-pipelined", |times| exchanges(SMALL.repeat(16).as_bytes(), 16, times)),
    ("exchange-with-a-body", |times| exchanges(&[SIZED.as_bytes(), &[b'a'; 1024]].concat(), 1, times)),
    ("exchange-with-chunks", |times| {
        exchanges(&[CHUNKED.as_bytes(), b"80\r\n", &[b'a'; 128], b"\r\n0\r\n\r\n"].concat(), 1, times)
    }),
    ("exchange-byte-by-byte", byte_by_byte),
];

const SMALL: &str = "GET /hello HTTP/1.1\r\nHost: localhost\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n";

const BROWSER: &str = "GET /articles/2024/how-a-connection-ends?from=front&page=2 HTTP/1.1\r\n\
    Host: www.example.org\r\n\
    Connection: keep-alive\r\n\
    sec-ch-ua: \"Chromium\";v=\"124\", \"Google Chrome\";v=\"124\", \"Not-A.Brand\";v=\"99\"\r\n\
    sec-ch-ua-mobile: ?0\r\n\
    sec-ch-ua-platform: \"Linux\"\r\n\
    Upgrade-Insecure-Requests: 1\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Sec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-User: ?1\r\n\
    Sec-Fetch-Dest: document\r\n\
    Referer: https://www.example.org/\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en;q=0.9\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n\r\n";

const SIZED: &str =
    "POST /form HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n\r\n";

const CHUNKED: &str = "POST /form HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";

fn connection() -> ServerConnection {
    ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default())
}

/// Each segment brings whole requests; the answers to one segment leave together.
fn exchanges(segment: &[u8], requests: usize, times: usize) -> usize {
    let (mut server, mut scratch, mut done): (_, Option<BytesMut>, _) = (connection(), None, 0);
    let date = date();
    for _ in 0..times.div_ceil(requests) {
        read(server.io(), segment, &mut scratch);
        loop {
            server = match server.poll() {
                Next::Request(_, exchange) => respond(exchange, &date),
                Next::Wait(waiting) => {
                    server = waiting;
                    break;
                }
                other => panic!("{other:?}"),
            };
            done += 1;
        }
        scratch = server.io().reclaim();
        write(server.io());
    }
    done
}

/// A driver makes one a second.
fn date() -> Date {
    Date::from_imf_fixdate("Sun, 06 Nov 1994 08:49:37 GMT").expect("a date")
}

fn respond(mut exchange: Exchange, date: &Date) -> ServerConnection {
    while let Some(BodyEvent::Data(_)) = exchange.body().event() {}
    let head = Response::new(StatusCode::OK);
    match exchange.respond(&head, Bytes::from_static(b"hello"), Some(date)).next() {
        After::Again(server) => server,
        After::Closing(_) => panic!("it goes on"),
    }
}

/// Each byte of a small request comes alone.
fn byte_by_byte(times: usize) -> usize {
    let (mut server, mut scratch): (_, Option<BytesMut>) = (connection(), None);
    let date = date();
    for _ in 0..times {
        for byte in SMALL.as_bytes().chunks(1) {
            read(server.io(), byte, &mut scratch);
            server = match server.poll() {
                Next::Request(_, exchange) => {
                    let mut server = respond(exchange, &date);
                    write(server.io());
                    server
                }
                Next::Wait(waiting) => waiting,
                other => panic!("{other:?}"),
            };
            scratch = server.io().reclaim();
        }
    }
    times
}
