//! The clients' side: sockets, requests and frames, by hand.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use endwell::tls::rustls::pki_types::ServerName;
use endwell::tls::rustls::{ClientConfig, ClientConnection, StreamOwned};
use socket2::{SockFilter, SockRef};

use crate::Result;
use crate::authority::authority;

/// Longer than anything that is in order takes.
pub const LONG: Duration = Duration::from_secs(20);

pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect_timeout(&address, LONG)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(LONG))?;
    socket.set_write_timeout(Some(LONG))?;
    Ok(socket)
}

pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")
}

/// The opening handshake of a WebSocket, with compression on offer.
pub fn handshake(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-extensions: permessage-deflate\r\n\r\n"
    )
}

/// Reads a head, byte by byte, so that nothing behind it is read.
pub fn read_head(socket: &mut impl Read) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

pub fn open_web_socket(address: SocketAddr, path: &str) -> Result<TcpStream> {
    let mut socket = connect(address)?;
    socket.write_all(handshake(path).as_bytes())?;
    let head = read_head(&mut socket)?;
    if !head.starts_with("HTTP/1.1 101") {
        return Err(format!("no WebSocket: {}", head.lines().next().unwrap_or_default()).into());
    }
    Ok(socket)
}

pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
pub const PING: u8 = 0x89;
/// The bit of a compressed message.
pub const COMPRESSED: u8 = 0x40;

/// The header of a client's frame. Its mask is zero, so that the payload is sent as it is.
pub fn frame_header(first: u8, len: usize) -> Vec<u8> {
    let mut header = vec![first];
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len @ ..126), _) => header.push(0x80 | len),
        (_, Ok(len)) => {
            header.push(0x80 | 126);
            header.extend(len.to_be_bytes());
        }
        _ => {
            header.push(0x80 | 127);
            header.extend((len as u64).to_be_bytes());
        }
    }
    header.extend([0; 4]);
    header
}

pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = frame_header(first, payload.len());
    frame.extend(payload);
    frame
}

/// Resets the connection.
pub fn reset(socket: TcpStream) {
    let _ = SockRef::from(&socket).set_linger(Some(Duration::ZERO));
    drop(socket);
}

/// Makes the peer silent from now on, as if its cable was cut: it acknowledges nothing more, and no packet of its own
/// leaves.
pub fn cut_cable(socket: &TcpStream) -> io::Result<()> {
    // A filter that accepts no byte of any packet: BPF_RET | BPF_K.
    SockRef::from(socket).attach_filter(&[SockFilter::new(0x06, 0, 0, 0)])
}

/// What a socket that does not block has for its reader.
#[derive(Debug, PartialEq, Eq)]
pub enum Drained {
    Open,
    Ended,
    Failed(ErrorKind),
}

/// Reads and discards what has come.
pub fn drain(mut socket: &TcpStream, buffer: &mut [u8], mut seen: impl FnMut(&[u8])) -> Drained {
    loop {
        match socket.read(buffer) {
            Ok(0) => return Drained::Ended,
            Ok(len) => seen(&buffer[..len]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Drained::Open,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Drained::Failed(error.kind()),
        }
    }
}

pub type Secure = StreamOwned<ClientConnection, TcpStream>;

/// Connects with TLS, and shakes hands.
pub fn connect_secure(address: SocketAddr, time: Duration) -> Result<Secure> {
    let mut socket = connect(address)?;
    socket.set_read_timeout(Some(time))?;
    let config: Arc<ClientConfig> = authority().client().into();
    let mut tls = ClientConnection::new(config, ServerName::try_from("localhost")?)?;
    while tls.is_handshaking() || tls.wants_write() {
        tls.complete_io(&mut socket)?;
    }
    Ok(StreamOwned::new(tls, socket))
}

/// How long a newcomer waits for the answer to its first request; why it got none, otherwise.
pub fn newcomer(address: SocketAddr, patience: Duration) -> Result<Duration, String> {
    let start = Instant::now();
    let ask = || -> Result<()> {
        let mut socket = connect(address)?;
        socket.set_read_timeout(Some(patience))?;
        socket.write_all(get("/hello").as_bytes())?;
        expect_ok(&mut socket)
    };
    ask().map(|()| start.elapsed()).map_err(|error| explain(&*error, patience))
}

/// The same over TLS.
pub fn secure_newcomer(address: SocketAddr, patience: Duration) -> Result<Duration, String> {
    let start = Instant::now();
    let ask = || -> Result<()> {
        let mut stream = connect_secure(address, patience)?;
        stream.write_all(get("/hello").as_bytes())?;
        expect_ok(&mut stream)
    };
    ask().map(|()| start.elapsed()).map_err(|error| explain(&*error, patience))
}

fn expect_ok(socket: &mut impl Read) -> Result<()> {
    let head = read_head(socket)?;
    if head.starts_with("HTTP/1.1 200") {
        return Ok(());
    }
    Err(head.lines().next().unwrap_or_default().to_owned().into())
}

fn explain(error: &(dyn std::error::Error + Send + Sync + 'static), patience: Duration) -> String {
    match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            format!("not served in {} s", patience.as_secs_f64())
        }
        Some(kind) => format!("{kind:?}"),
        None => error.to_string(),
    }
}
