//! Handshakes that are slow, many, or none.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

use endwell::http::StatusCode;
use endwell::{Ended, Exchange};

use crate::dialling::Dialling;
use crate::peer::Peer;
use crate::secure::Secure;
use crate::support::{LONG, on_every_runtime, start};

on_every_runtime!(byte_by_byte, no_tls, leaves_within_it);

const GET: &str = "GET / HTTP/1.0\r\n\r\n";

async fn ok(exchange: Exchange) -> endwell::Answered {
    exchange.respond(StatusCode::OK, "ok")
}

fn get(client: &mut Peer) {
    client.shake_hands().unwrap();
    client.send(GET);
    let (response, end) = client.rest();
    end.unwrap();
    assert!(response.ends_with(b"\r\n\r\nok"));
}

/// A socket that takes and gives one byte at a time.
struct Bytewise<'a>(&'a TcpStream);

impl Read for Bytewise<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(1);
        self.0.read(&mut buffer[..len])
    }
}

impl Write for Bytewise<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.write(&data[..data.len().min(1)])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn byte_by_byte<R: Dialling>() {
    let server = start::<Secure<R>, _, _>(ok);
    let mut client = Peer::client(server.address);
    let mut socket = Bytewise(&client.socket);
    while client.tls.is_handshaking() || client.tls.wants_write() {
        client.tls.complete_io(&mut socket).unwrap();
    }
    get(&mut client);
}

/// Somebody speaks HTTP to the port of TLS: an alert, and the end. Nobody else notices.
fn no_tls<R: Dialling>() {
    let server = start::<Secure<R>, _, _>(ok);
    let mut client = TcpStream::connect(server.address).unwrap();
    client.set_read_timeout(Some(LONG)).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    // RFC 8446 5.1 and 6: a record of type alert, which is fatal.
    assert_eq!((answer[0], answer.len(), answer[5]), (21, 7, 2));
    let ended = server.next_end();
    assert_eq!(
        ended.to_string(),
        "the transport failed: received corrupt message of type InvalidContentType"
    );
    get(&mut Peer::client(server.address));
}

fn leaves_within_it<R: Dialling>() {
    let server = start::<Secure<R>, _, _>(ok);
    drop(TcpStream::connect(server.address).unwrap());
    let mut client = Peer::client(server.address);
    client.tls.write_tls(&mut client.socket).unwrap();
    client.end_write();
    for _ in 0..2 {
        let Ended::Transport(cause) = server.next_end() else { panic!() };
        assert_eq!(cause.kind(), ErrorKind::UnexpectedEof, "{cause}");
    }
    assert_eq!(server.counters.exchanges(), 0);
}
