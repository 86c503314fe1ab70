//! Connects, opens a WebSocket, echoes one message and closes, on several connections at a time, again and again.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::requests::{HANDSHAKE, Request, frame};
use crate::{Options, Outcome, Speak};

/// What is waited for.
#[derive(Clone, Copy)]
enum Step {
    Connect,
    Head,
    Echo,
    Close,
    End,
    Over,
}

struct Connection {
    stream: TcpStream,
    step: Step,
    input: Vec<u8>,
}

/// Counts the connections that ended well.
pub(crate) fn run(options: &Options) -> Outcome<u64> {
    let until = Instant::now() + Duration::from_secs_f64(options.seconds);
    let (mut poll, mut events, mut buffer) = (Poll::new()?, Events::with_capacity(256), vec![0; 64 << 10]);
    let (request, close) = (Request::new(options)?, frame(0x88, Some([1, 2, 3, 4]), &1000_u16.to_be_bytes()));
    let (mut ended, mut open) = (0, options.connections);
    let mut connections = Vec::new();
    for index in 0..options.connections {
        connections.push(Connection::new(options, &poll, index)?);
    }
    while open > 0 {
        poll.poll(&mut events, Some(Duration::from_secs(10)))?;
        if events.is_empty() {
            return Err(format!("nothing happens for 10 s on {open} connections").into());
        }
        for event in &events {
            let index = event.token().0;
            if connections[index].advance(options.speak, &request, &close, &mut buffer)? {
                ended += 1;
                if Instant::now() < until {
                    connections[index] = Connection::new(options, &poll, index)?;
                } else {
                    open -= 1;
                }
            }
        }
    }
    Ok(ended)
}

impl Connection {
    fn new(options: &Options, poll: &Poll, index: usize) -> Outcome<Self> {
        let mut stream = TcpStream::connect(options.address)?;
        poll.registry().register(&mut stream, Token(index), Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { stream, step: Step::Connect, input: Vec::new() })
    }

    /// Goes as far as it comes. True: the connection has ended, and well.
    fn advance(&mut self, speak: Speak, request: &Request, close: &[u8], buffer: &mut [u8]) -> Outcome<bool> {
        let is_raw = speak == Speak::Raw;
        loop {
            // What is written is small, and finds room.
            match self.step {
                Step::Connect => match self.stream.peer_addr() {
                    Ok(_) => {
                        self.stream.set_nodelay(true)?;
                        self.stream.write_all(HANDSHAKE)?;
                        self.step = Step::Head;
                    }
                    Err(error) if error.kind() == ErrorKind::NotConnected => {
                        return self.stream.take_error()?.map_or(Ok(false), |error| Err(error.into()));
                    }
                    Err(error) => return Err(error.into()),
                },
                Step::Head if self.input.ends_with(b"\r\n\r\n") => {
                    if !is_raw && !self.input.starts_with(b"HTTP/1.1 101") {
                        return Err(format!("no WebSocket: {}", self.input.escape_ascii()).into());
                    }
                    self.input.clear();
                    self.stream.write_all(&request.there)?;
                    self.step = Step::Echo;
                }
                Step::Echo if self.input.len() >= request.back.len() => {
                    if self.input != request.back {
                        return Err("not an echo".into());
                    }
                    self.input.clear();
                    if is_raw {
                        self.stream.shutdown(Shutdown::Write)?;
                        self.step = Step::End;
                    } else {
                        self.stream.write_all(close)?;
                        self.step = Step::Close;
                    }
                }
                Step::Close if self.input.len() >= 2 => {
                    if self.input[0] != 0x88 {
                        return Err("not a Close".into());
                    }
                    self.step = Step::End;
                }
                Step::Over => return Ok(false),
                Step::Head | Step::Echo | Step::Close | Step::End => match self.stream.read(buffer) {
                    Ok(0) if matches!(self.step, Step::End) => {
                        self.step = Step::Over;
                        return Ok(true);
                    }
                    Ok(0) => return Err("the server has left".into()),
                    Ok(read) => self.input.extend(&buffer[..read]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                    Err(error) => return Err(error.into()),
                },
            }
        }
    }
}
