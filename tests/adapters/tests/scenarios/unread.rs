//! S28: a response to a request whose body is not read arrives whole, without a reset.

use endwell::http::StatusCode;
use endwell::{Answered, Exchange, ServerConfig};

use crate::support::{Runtime, on_every_runtime, start, start_with};

on_every_runtime!(
    small_keeps_the_connection,
    chunked_in_one_segment_keeps_the_connection,
    large_announces_the_close,
    chunked_announces_the_close,
    in_one_flight
);

const TEXT: &str = "there is nothing here\n";

async fn not_found(exchange: Exchange) -> Answered {
    exchange.respond(StatusCode::NOT_FOUND, TEXT)
}

/// A body that is worth reading is read, and the connection stays.
fn small_keeps_the_connection<R: Runtime>() {
    let server = start::<R, _, _>(not_found);
    let mut client = server.connect();
    for len in [0, 1, 1000, 64 << 10] {
        client.send(format!("POST /none HTTP/1.1\r\nhost: a\r\ncontent-length: {len}\r\n\r\n"));
        client.send(vec![b'x'; len]);
        let response = client.response().unwrap();
        assert_eq!((response.status, response.announces_close()), (404, false), "{len}");
        assert_eq!(response.body, TEXT.as_bytes());
    }
    assert_eq!(server.counters.accepted(), 1);
}

fn chunked_in_one_segment_keeps_the_connection<R: Runtime>() {
    let server = start::<R, _, _>(not_found);
    let mut client = server.connect();
    for body in ["0\r\n\r\n", "5\r\nhello\r\n0\r\nx: y\r\n\r\n"] {
        client.send(format!("POST /none HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{body}"));
        let response = client.response().unwrap();
        assert_eq!((response.status, response.announces_close()), (404, false), "{body:?}");
    }
    assert_eq!(server.counters.accepted(), 1);
}

/// A client that writes all before it reads gets the whole response, and no reset.
fn large_announces_the_close<R: Runtime>() {
    let server = start::<R, _, _>(not_found);
    for len in [(64 << 10) + 1, 1 << 20, 64 << 20] {
        let mut client = server.connect();
        client.send(format!("POST /none HTTP/1.1\r\nhost: a\r\ncontent-length: {len}\r\n\r\n"));
        client.send(vec![b'x'; len]);
        let response = client.response().unwrap();
        assert_eq!((response.status, response.announces_close()), (404, true), "{len}");
        assert_eq!(response.body, TEXT.as_bytes());
        client.assert_closed();
    }
}

fn chunked_announces_the_close<R: Runtime>() {
    let server = start::<R, _, _>(not_found);
    let mut client = server.connect();
    client.send("POST /none HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
    for _ in 0..256 {
        client.send("4000\r\n");
        client.send([b'x'; 0x4000]);
        client.send("\r\n");
    }
    client.send("0\r\n\r\n");
    let response = client.response().unwrap();
    assert_eq!((response.status, response.announces_close()), (404, true));
    client.assert_closed();
}

/// A client that never stops sending is cut off in the end, and has had the time to read its response.
fn in_one_flight<R: Runtime>() {
    let mut config = ServerConfig::default();
    config.http.linger_time = std::time::Duration::from_millis(300);
    let server = start_with::<R, _, _>(config, not_found);
    let mut client = server.connect();
    client.send("POST /none HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000000\r\n\r\n");
    let mut sender = client.socket.try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        use std::io::Write;
        while sender.write_all(&[b'x'; 1 << 14]).is_ok() {}
    });
    let response = client.response().unwrap();
    assert_eq!((response.status, response.announces_close()), (404, true));
    server.next_end();
    sending.join().unwrap();
}
