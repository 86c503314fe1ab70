//! S38: an echo of any size, from clients that read while they write, and from those that do not.

use std::io::Write;
use std::thread;
use std::time::Duration;

use endwell::core::Pace;
use endwell::http::{Framing, Response, StatusCode};
use endwell::{Answered, Ended, EndedKind, Exchange, ServerConfig};

use crate::support::{Client, Runtime, on_every_runtime, pattern, start, start_narrow, start_with};

on_every_runtime!(
    read_while_writing,
    write_all_before_reading,
    a_small_one_may_write_all_first,
    reading_goes_on_while_a_write_waits,
    reset_while_it_waits,
);

/// Sends the body back while it arrives.
pub(crate) async fn echo(exchange: Exchange) -> Result<Answered, Ended> {
    let length = exchange.fields().get_str("content-length").and_then(|length| length.parse().ok());
    let framing = length.map_or(Framing::Chunked, Framing::Length);
    let (mut request, mut response) = exchange.start(Response::new(StatusCode::OK), framing);
    while let Some(piece) = request.read().await? {
        response.write(piece).await?;
    }
    response.finish()
}

fn read_while_writing<R: Runtime>() {
    let server = start::<R, _, _>(echo);
    let data = pattern(64 << 20);
    for framing in ["content-length", "chunked"] {
        let mut client = server.connect();
        let mut sender = client.socket.try_clone().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                if framing == "chunked" {
                    sender
                        .write_all(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
                        .unwrap();
                    for chunk in data.chunks(100_000) {
                        sender.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).unwrap();
                        sender.write_all(chunk).unwrap();
                        sender.write_all(b"\r\n").unwrap();
                    }
                    sender.write_all(b"0\r\n\r\n").unwrap();
                } else {
                    let head =
                        format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", data.len());
                    sender.write_all(head.as_bytes()).unwrap();
                    sender.write_all(&data).unwrap();
                }
            });
            let response = client.response().unwrap();
            assert!(response.body == data, "{} of {} bytes, or others", response.body.len(), data.len());
        });
    }
}

/// Nobody can echo 64 MiB to somebody who does not read. It ends, by the limit on writing.
fn write_all_before_reading<R: Runtime>() {
    let mut config = ServerConfig::default();
    config.output.pace = Pace::silence(Duration::from_millis(300));
    let server = start_with::<R, _, _>(config, echo);
    let mut client = server.connect();
    let data = pattern(64 << 20);
    client.send(format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", data.len()));
    let written = client.socket.write_all(&data);
    written.expect_err("the server must stop reading, and then give up");
    assert!(matches!(server.next_end().kind(), EndedKind::Limit(_)));
    // The write has heard of the reset already, and a kernel that is short of memory keeps nothing of the response.
    client.response().unwrap_err();
}

/// What the buffers on the way hold comes back.
fn a_small_one_may_write_all_first<R: Runtime>() {
    let server = start::<R, _, _>(echo);
    let mut client = server.connect();
    let data = pattern(100_000);
    for _ in 0..10 {
        client.send(format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", data.len()));
        client.send(&data);
        assert!(client.response().unwrap().body == data);
    }
    assert_eq!(server.counters.accepted(), 1);
}

/// Nothing fits on the way back: what the client still sends is read, up to the bound on what is received, or the two
/// would wait for each other.
fn reading_goes_on_while_a_write_waits<R: Runtime>() {
    let mut config = ServerConfig::default();
    config.output.high_water = 0;
    config.output.bytes = 4096;
    let server = start_narrow::<R, _, _>(config, echo);
    let mut client = Client::connect_narrow(server.address);
    let data = pattern(60_000);
    client.send(format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", data.len()));
    client.send(&data);
    assert!(client.response().unwrap().body == data);
}

/// A client that takes nothing and then resets: the echo, which waits for it, ends at once.
fn reset_while_it_waits<R: Runtime>() {
    let server = start::<R, _, _>(echo);
    for framing in ["content-length: 1000000000", "transfer-encoding: chunked"] {
        let mut client = server.connect();
        client.send(format!("POST / HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n"));
        client.socket.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        let chunk = [b"10000\r\n", &vec![b'x'; 1 << 16][..], b"\r\n"].concat();
        while client.socket.write_all(&chunk).is_ok() {}
        client.reset();
        assert!(matches!(server.next_end().kind(), EndedKind::Transport(_)));
    }
}
