//! S25: what is not understood without doubt is refused, and the connection closes. The same under every split.

use endwell::http::StatusCode;
use endwell::{Answered, Ended, Exchange};

use crate::support::{Runtime, on_every_runtime, start};

on_every_runtime!(refused, served);

/// Each is the first request of a pair: the second must not be served.
const REFUSED: [(u16, &str); 26] = [
    (400, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0x10\r\n\r\n"),
    (400, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n"),
    (400, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +5\r\n\r\nhello"),
    (400, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length:\r\n\r\n"),
    (400, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999999999999\r\n\r\n"),
    (400, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello"),
    (400, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5, 5\r\n\r\nhello"),
    (400, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, "POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    (400, "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    (501, "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    (400, "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n"),
    (400, "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"),
    (400, "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n"),
    (400, "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n"),
    (400, "GET / HTTP/1.1\nhost: a\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nhost: a\r\nx: a\rb\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nhost: a\r\nx : b\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nhost: a\r\nx: b\r\n c\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n"),
    (505, "GET / HTTP/2.0\r\nhost: a\r\n\r\n"),
    (417, "GET / HTTP/1.1\r\nhost: a\r\nexpect: cookies\r\n\r\n"),
    (400, "GET a HTTP/1.1\r\nhost: a\r\n\r\n"),
];

const SERVED: [&str; 5] = [
    "\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n",
    "GET / HTTP/1.2\r\nhost: a\r\n\r\n",
    "GET http://b/ HTTP/1.1\r\nhost: a\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\n\r\n",
];

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";

async fn handle(mut exchange: Exchange) -> Result<Answered, Ended> {
    assert_ne!(exchange.path(), "/smuggled");
    exchange.read_all(1000).await?;
    Ok(exchange.respond(StatusCode::OK, "served"))
}

fn refused<R: Runtime>() {
    let server = start::<R, _, _>(handle);
    for (status, request) in REFUSED {
        for bytewise in [false, true] {
            let mut client = server.connect();
            let both = [request, SMUGGLED].concat();
            client.send_as(bytewise, &both);
            let response = client.response().unwrap();
            assert_eq!((response.status, response.announces_close()), (status, true), "{request:?}");
            client.assert_closed();
        }
    }
    assert_eq!(server.counters.panicked(), 0);
}

fn served<R: Runtime>() {
    let server = start::<R, _, _>(handle);
    let mut client = server.connect();
    for request in SERVED {
        client.send(request);
        assert_eq!(client.response().unwrap().status, 200, "{request:?}");
        client.send_bytewise(request);
        assert_eq!(client.response().unwrap().status, 200, "{request:?}, byte by byte");
    }
    assert_eq!(server.counters.accepted(), 1);
}
