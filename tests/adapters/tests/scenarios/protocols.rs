//! A connection that is given to another protocol, and streams that are no TCP.

use std::future::poll_fn;
use std::io::{IoSlice, Read, Write};
use std::thread;

use endwell::http::{Field, FieldSection, Interim, StatusCode};
use endwell::{Answered, Ended, EndedKind, Exchange, Info, Server, ServerConfig, Upgraded, serve};

use crate::support::{Runtime, Tokio, on_every_runtime, start};

on_every_runtime!(switch_with_bytes_behind, connect_opens_a_tunnel, not_offered_is_answered);

/// Sends back what comes, until the end; then a word, so that a half-closed stream is seen to be one.
async fn repeat(mut stream: Upgraded) {
    let mut buffer = [0; 1000];
    loop {
        let len = poll_fn(|cx| stream.poll_read(cx, &mut buffer)).await.unwrap();
        let mut rest = if len == 0 { &b"end"[..] } else { &buffer[..len] };
        while !rest.is_empty() {
            let written = poll_fn(|cx| stream.poll_write(cx, &[IoSlice::new(rest)])).await.unwrap();
            rest = &rest[written..];
        }
        if len == 0 {
            return poll_fn(|cx| stream.poll_end_write(cx)).await.unwrap();
        }
    }
}

async fn handle<R: Runtime>(exchange: Exchange) -> Result<Answered, Ended> {
    let fields = FieldSection::new().with(Field::from_static("x-tunnel", "yes"));
    let elsewhere = exchange.path() == "/elsewhere";
    let switched = if exchange.method().as_str() == "CONNECT" {
        exchange.tunnel(&fields)
    } else {
        exchange.switch("repeat", &fields)
    };
    match switched {
        Ok((stream, answered)) if elsewhere => {
            R::spawn(repeat(stream));
            Ok(answered)
        }
        Ok((stream, answered)) => {
            repeat(stream).await;
            Ok(answered)
        }
        Err((reason, exchange)) => Ok(exchange.respond(StatusCode::FORBIDDEN, reason.to_string())),
    }
}

fn converse(client: &mut crate::support::Client) {
    assert_eq!(client.read_exactly(6), b"behind");
    client.send("and more");
    assert_eq!(client.read_exactly(8), b"and more");
    client.end_write();
    assert_eq!(client.rest(), b"end");
}

fn switch_with_bytes_behind<R: Runtime>() {
    let server = start::<R, _, _>(handle::<R>);
    for path in ["/here", "/elsewhere"] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: other, repeat\r\n\r\nbehind"
        );
        for bytewise in [false, true] {
            let mut client = server.connect();
            client.send_as(bytewise, &request);
            let response = client.response().unwrap();
            assert_eq!((response.status, response.field("upgrade").as_deref()), (101, Some("repeat")));
            converse(&mut client);
            assert!(matches!(server.next_end().kind(), EndedKind::Upgraded));
        }
    }
}

fn connect_opens_a_tunnel<R: Runtime>() {
    let server = start::<R, _, _>(handle::<R>);
    let mut client = server.connect();
    client.send("CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\nbehind");
    // A 2xx to CONNECT has no content, whatever a GET's would have.
    let response = client.response_to("HEAD").unwrap();
    assert_eq!((response.status, response.field("x-tunnel").as_deref()), (200, Some("yes")));
    assert!(response.field("content-length").is_none() && response.field("transfer-encoding").is_none());
    converse(&mut client);
}

fn not_offered_is_answered<R: Runtime>() {
    let server = start::<R, _, _>(handle::<R>);
    let mut client = server.connect();
    for request in [
        "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nupgrade: repeat\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: repeat\r\ncontent-length: 1\r\n\r\nx",
    ] {
        client.send(request);
        assert_eq!(client.response().unwrap().status, 403);
    }
}

const GET: &[u8] = b"GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

async fn hello(mut exchange: Exchange) -> Answered {
    exchange.interim(&Interim::early_hints());
    let peer = exchange.peer_address().to_string();
    exchange.respond(StatusCode::OK, format!("hello {peer}"))
}

/// Asks over a Unix socket, on which the end of the stream must come before the linger time is over.
fn ask_over_unix(path: &std::path::Path) {
    let mut socket = std::os::unix::net::UnixStream::connect(path).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_millis(1500))).unwrap();
    socket.write_all(GET).unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).unwrap();
    assert!(response.ends_with("hello unix"), "{response}");
}

/// A path for a socket, free again when dropped.
struct Path(std::path::PathBuf);

impl Path {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("endwell-{name}-{}", std::process::id())))
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn unix_on_tokio() {
    let path = Path::new("tokio");
    Tokio::run(async {
        let listener = tokio::net::UnixListener::bind(&path.0).unwrap();
        let name = path.0.clone();
        let client = tokio::task::spawn_blocking(move || ask_over_unix(&name));
        let stop = async { client.await.unwrap() };
        serve(listener, ServerConfig::default(), hello).until(stop).await;
    });
}

#[test]
fn unix_on_async_std() {
    let path = Path::new("async-std");
    async_std::task::block_on(async {
        let listener = async_std::os::unix::net::UnixListener::bind(&path.0).await.unwrap();
        let name = path.0.clone();
        let stop = async_std::task::spawn_blocking(move || ask_over_unix(&name));
        serve(listener, ServerConfig::default(), hello).until(stop).await;
    });
}

#[test]
fn unix_on_smol() {
    let path = Path::new("smol");
    smol::block_on(async {
        let listener = smol::net::unix::UnixListener::bind(&path.0).unwrap();
        let name = path.0.clone();
        let stop = smol::unblock(move || ask_over_unix(&name));
        serve(listener, ServerConfig::default(), hello).until(stop).await;
    });
}

#[test]
fn unix_on_threads() {
    let path = Path::new("threads");
    let listener = std::os::unix::net::UnixListener::bind(&path.0).unwrap();
    let name = path.0.clone();
    let stop = smol::unblock(move || ask_over_unix(&name));
    endwell::blocking::block_on(serve(listener, ServerConfig::default(), hello).until(stop));
}

/// Any stream will do: here one that is memory.
#[test]
fn any_stream_of_tokio() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    Tokio::run(async {
        let (mut near, far) = tokio::io::duplex(7);
        let server = Server::new(ServerConfig::default(), hello);
        let far = endwell::tokio::Stream::new(far);
        let serving = tokio::spawn(server.connection(far, endwell::tokio::Tokio, Info::default()));
        near.write_all(GET).await.unwrap();
        let mut response = String::new();
        near.read_to_string(&mut response).await.unwrap();
        assert!(response.ends_with("hello unknown"), "{response}");
        drop(near);
        assert!(matches!(serving.await.unwrap().kind(), EndedKind::Announced));
    });
}

#[test]
fn any_stream_of_futures_io() {
    async_std::task::block_on(async {
        let (mut near, far) = std::os::unix::net::UnixStream::pair().unwrap();
        // async-std's own type, but as any other stream: closing it does not end its write side.
        let far = async_std::os::unix::net::UnixStream::from(far);
        let mut config = ServerConfig::default();
        config.http.linger_time = std::time::Duration::from_millis(50);
        let server = Server::new(config, hello);
        let far = endwell::async_std::Stream::new(far);
        let client = thread::spawn(move || {
            near.write_all(GET).unwrap();
            let mut response = String::new();
            near.read_to_string(&mut response).unwrap();
            assert!(response.ends_with("hello unknown"), "{response}");
        });
        let ended = server.connection(far, endwell::async_std::AsyncStd, Info::default()).await;
        assert!(matches!(ended.kind(), EndedKind::Announced));
        client.join().unwrap();
    });
}
