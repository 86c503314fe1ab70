//! The example in a thread, and a client by hand.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError::Disconnected;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use endwell_core::ws::CloseCode;
use endwell_core::{Exceeded, Limit, Outcome};

use super::example::{Driver, Settings};

/// The example, in a thread.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) stop: mio::Waker,
    pub(crate) ended: Receiver<io::Result<Outcome>>,
    pub(crate) thread: JoinHandle<io::Result<()>>,
}

pub(crate) fn serve(change: impl FnOnce(&mut Settings)) -> Server {
    let mut settings = Settings::default();
    change(&mut settings);
    let listener = mio::net::TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let (driver, stop) = Driver::new(listener, settings).unwrap();
    let (tell, ended) = channel();
    let thread = thread::spawn(move || driver.run(|outcome| drop(tell.send(outcome))));
    Server { address, stop, ended, thread }
}

pub(crate) fn limits(change: impl FnOnce(&mut endwell_core::http::HttpLimits)) -> Server {
    serve(|settings| change(Arc::make_mut(&mut settings.http)))
}

pub(crate) fn ws_limits(change: impl FnOnce(&mut endwell_core::ws::SocketLimits)) -> Server {
    serve(|settings| change(Arc::make_mut(&mut settings.ws)))
}

impl Server {
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream
    }

    /// Sends `bytes` on a new connection.
    pub(crate) fn send(&self, bytes: impl AsRef<[u8]>) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(bytes.as_ref()).unwrap();
        stream
    }

    pub(crate) fn web_socket(&self) -> TcpStream {
        let mut stream = self.send(
            "GET /ws HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        );
        let head = head(&mut stream);
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.contains("\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{head}");
        stream
    }

    /// How the next connection to end did.
    pub(crate) fn ended(&self) -> io::Result<Outcome> {
        self.ended.recv_timeout(LONG).unwrap()
    }

    /// Which limit the next connection to end met.
    pub(crate) fn exceeded(&self) -> Limit {
        match self.ended() {
            Ok(Outcome::Exceeded(Exceeded { limit, .. }) | Outcome::Silent(Exceeded { limit, .. })) => limit,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn stop(self) {
        self.stop.wake().unwrap();
        self.stopped();
    }

    pub(crate) fn stopped(self) {
        while self.ended.recv_timeout(LONG).map_err(|error| assert_eq!(error, Disconnected)).is_ok() {}
        self.thread.join().unwrap().unwrap();
    }
}

/// Longer than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(20);
pub(crate) const SHORT: Duration = Duration::from_millis(50);

pub(crate) fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

pub(crate) fn exact(stream: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// What comes until the end of the stream.
pub(crate) fn rest(stream: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    String::from_utf8(rest).unwrap()
}

/// The content of chunks.
pub(crate) fn chunks(stream: &mut TcpStream) -> Vec<u8> {
    let mut content = Vec::new();
    loop {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.extend(exact(stream, 1));
        }
        let len = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim_end(), 16).unwrap();
        content.extend(exact(stream, len));
        assert_eq!(exact(stream, 2), b"\r\n");
        if len == 0 {
            return content;
        }
    }
}

/// A frame of a client. Its key is zero, so the payload is not changed.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..126 => frame.push(0x80 | u8::try_from(len).unwrap()),
        len @ 126..0x1_0000 => {
            frame.push(0xfe);
            frame.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        len => {
            frame.push(0xff);
            frame.extend(u64::try_from(len).unwrap().to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// The next frame of the server.
pub(crate) fn receive(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let start = exact(stream, 2);
    let len = match start[1] {
        126 => u16::from_be_bytes(exact(stream, 2).try_into().unwrap()).into(),
        127 => u64::from_be_bytes(exact(stream, 8).try_into().unwrap()).try_into().unwrap(),
        len => usize::from(len),
    };
    (start[0], exact(stream, len))
}

pub(crate) fn closes(stream: &mut TcpStream, code: CloseCode) {
    let (first, payload) = receive(stream);
    assert_eq!((first, &payload[..2]), (0x88, &code.number().to_be_bytes()[..]));
}

pub(crate) const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
