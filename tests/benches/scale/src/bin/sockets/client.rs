//! A process with many clients, which answer pings and the Close.

use std::io::{BufRead, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::time::Duration;

use mio::{Events, Interest, Poll, Token, Waker};
use socket2::{Domain, Protocol, Socket, Type};

use crate::Outcome;

pub(crate) const HANDSHAKE: &[u8] =
    b"GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";

/// The Pong to a Ping.
pub(crate) fn pong(payload: &[u8]) -> Vec<u8> {
    let len = u8::try_from(payload.len()).unwrap_or(125);
    [&[0x8a, 0x80 | len, 0, 0, 0, 0], payload].concat()
}

/// A handshake at a time for each of so many connections: the backlog of the server holds them.
const AT_ONCE: usize = 200;

struct Clients {
    poll: Poll,
    from: Ipv4Addr,
    to: SocketAddr,
    streams: Vec<Option<mio::net::TcpStream>>,
    open: usize,
    pings: u64,
    closed: u64,
}

pub(crate) fn run(from: Ipv4Addr) -> Outcome<()> {
    let mut lines = std::io::stdin().lock().lines();
    let to = lines.next().ok_or("no address")??.parse()?;
    let poll = Poll::new()?;
    let waker = Waker::new(poll.registry(), Token(usize::MAX))?;
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if tell.send(line).is_err() || waker.wake().is_err() {
                return;
            }
        }
    });
    drop(lines);
    let mut clients = Clients { poll, from, to, streams: Vec::new(), open: 0, pings: 0, closed: 0 };
    let mut wanted = 0;
    loop {
        while clients.streams.len() < wanted && clients.streams.len() - clients.open < AT_ONCE {
            clients.connect()?;
        }
        // Whatever is asked for next waits until all are open.
        let asked = if clients.open == wanted { told.try_recv().ok() } else { None };
        match asked.as_deref() {
            None => clients.turn()?,
            Some("pings") => println!("{}", clients.pings),
            Some("closed") => {
                while clients.streams.iter().any(Option::is_some) {
                    clients.turn()?;
                }
                println!("{}", clients.closed);
            }
            Some("opened") => println!("{}", clients.open),
            Some(more) => wanted += more.parse::<usize>()?,
        }
    }
}

impl Clients {
    fn connect(&mut self) -> Outcome<()> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.bind(&SocketAddr::from((self.from, 0)).into())?;
        match socket.connect(&self.to.into()) {
            Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {
                return Err(error.into());
            }
            Ok(()) | Err(_) => {}
        }
        let mut stream = mio::net::TcpStream::from_std(socket.into());
        let token = Token(self.streams.len());
        self.poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        self.streams.push(Some(stream));
        Ok(())
    }

    fn turn(&mut self) -> Outcome<()> {
        let mut events = Events::with_capacity(1024);
        self.poll.poll(&mut events, Some(Duration::from_secs(60)))?;
        for event in &events {
            let Some(Some(stream)) = self.streams.get_mut(event.token().0) else { continue };
            if event.is_writable() {
                // Connected: nothing else is waited for.
                stream.write_all(HANDSHAKE)?;
                self.poll.registry().reregister(stream, event.token(), Interest::READABLE)?;
            }
            if event.is_readable() {
                self.read(event.token().0)?;
            }
        }
        Ok(())
    }

    /// What comes is small, so it comes whole.
    fn read(&mut self, index: usize) -> Outcome<()> {
        let mut buffer = [0; 4096];
        while let Some(Some(stream)) = self.streams.get_mut(index) {
            let len = match stream.read(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Ok(0) => {
                    self.streams[index] = None;
                    return Ok(());
                }
                len => len?,
            };
            let mut rest = &buffer[..len];
            if rest.starts_with(b"HTTP/1.1 101") {
                self.open += 1;
                let end = rest.windows(4).position(|end| end == b"\r\n\r\n").ok_or("half a head")?;
                rest = &rest[end + 4..];
            }
            while let [kind, len, after @ ..] = rest {
                let (payload, after) = after.split_at(usize::from(*len));
                match kind {
                    0x89 => {
                        stream.write_all(&pong(payload))?;
                        self.pings += 1;
                    }
                    0x88 => {
                        stream.write_all(&[0x88, 0x80, 0, 0, 0, 0])?;
                        self.closed += 1;
                    }
                    _ => return Err("an unknown frame".into()),
                }
                rest = after;
            }
        }
        Ok(())
    }
}
