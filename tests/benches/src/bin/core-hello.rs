//! Requests through the core alone, for counting instructions: `core-hello small|browser|pipelined N`.
//!
//! The transport's copies are left out: the lent buffer holds the request already, and what is written is only
//! counted off.

use bytes::{Bytes, BytesMut};
use endwell_core::http::server::{After, Next, ServerConnection};
use endwell_core::http::{Date, Field, HttpLimits, Response, StatusCode};
use endwell_core::{Arrived, Instant, Look, OutboxLimits, Wrote};
use std::convert::Infallible;

const SMALL: &str = "GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

const BROWSER: &str = "GET /hello HTTP/1.1\r\nHost: www.example.com\r\nConnection: keep-alive\r\n\
    Cache-Control: max-age=0\r\nsec-ch-ua: \"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\", \"Google Chrome\";v=\"140\"\r\n\
    sec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8\r\n\
    Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n\
    Cookie: id=0123456789abcdef0123456789abcdef; theme=dark; consent=yes; seen=20260101T000000Z; lang=en; x=yes\r\n\r\n";

/// Named, so that the counting starts and stops with it.
#[inline(never)]
fn exchanges(mut server: ServerConnection, request: &str, together: usize, count: usize) -> u64 {
    let date = Date::from_imf_fixdate("Sun, 06 Nov 1994 08:49:37 GMT").expect("a date");
    let mut buffer = BytesMut::zeroed(1 << 16);
    let batch = request.repeat(together);
    buffer[..batch.len()].copy_from_slice(batch.as_bytes());
    let mut written = 0;
    for _ in 0..count / together {
        let mut io = server.io();
        io.lend(buffer).expect("nothing is held");
        let Ok(arrived) = io.read(Instant::default(), |room| {
            assert!(room.len() >= batch.len());
            Ok::<_, Infallible>(Look::Bytes(batch.len()))
        });
        assert_eq!(arrived, Arrived::Something);
        for _ in 0..together {
            server = exchange(server, &date);
        }
        let mut io = server.io();
        buffer = io.reclaim().expect("a buffer was lent");
        let queued = io.queued();
        let Ok(wrote) = io.write(Instant::default(), |_| Ok::<_, Infallible>(Some(queued)));
        assert_eq!(wrote, Wrote::Something);
        written += u64::try_from(queued).unwrap_or_default();
    }
    written
}

fn exchange(server: ServerConnection, date: &Date) -> ServerConnection {
    const TEXT: Field<'_> = Field::from_static("content-type", "text/plain; charset=utf-8");
    let Next::Request(head, exchange) = server.poll() else { panic!("no request") };
    assert_eq!(head.path(), "/hello");
    let head = Response::new(StatusCode::OK).with(TEXT);
    let answered = exchange.respond(&head, Bytes::from_static(b"hello"), Some(date));
    let After::Again(server) = answered.next() else { panic!("no next request") };
    server
}

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let (request, together) = match arguments.get(1).map(String::as_str) {
        Some("small") => (SMALL, 1),
        Some("browser") => (BROWSER, 1),
        Some("pipelined") => (SMALL, 16),
        _ => panic!("usage: core-hello small|browser|pipelined N"),
    };
    let count = arguments.get(2).and_then(|count| count.parse().ok()).unwrap_or(1000);
    let written = exchanges(
        ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default()),
        request,
        together,
        count,
    );
    println!("{} bytes each, {written} bytes written", request.len());
}
