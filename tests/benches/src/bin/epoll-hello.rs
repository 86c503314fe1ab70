//! The floor: one thread, one buffer, the same bytes for every empty line. Nothing that speaks HTTP does less.

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read, Write};

const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
    content-type: text/plain; charset=utf-8\r\n\r\nhello";

struct Connection {
    stream: TcpStream,
    /// How much of an empty line's end has come.
    matched: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const LISTENER: Token = Token(usize::MAX);
    let options = endwell_benches::Options::from_args()?;
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(256));
    let mut listener = TcpListener::bind(options.listen)?;
    println!("{}", listener.local_addr()?);
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut buffer = vec![0; 1 << 18];
    let answers = RESPONSE.repeat(1 << 10);
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() != LISTENER {
                let Some(slot) = connections.get_mut(event.token().0) else { continue };
                if slot.as_mut().is_some_and(|connection| connection.serve(&mut buffer, &answers).is_none()) {
                    *slot = None;
                }
                continue;
            }
            while let Ok((mut stream, _)) = listener.accept() {
                stream.set_nodelay(true)?;
                let free = connections.iter().position(Option::is_none).unwrap_or(connections.len());
                poll.registry().register(&mut stream, Token(free), Interest::READABLE)?;
                let connection = Some(Connection { stream, matched: 0 });
                if free == connections.len() {
                    connections.push(connection);
                } else {
                    connections[free] = connection;
                }
            }
        }
    }
}

impl Connection {
    /// Answers what has come. `None`: the peer has left, or does not take the answers.
    fn serve(&mut self, buffer: &mut [u8], answers: &[u8]) -> Option<()> {
        loop {
            let read = match self.stream.read(buffer) {
                Ok(0) => return None,
                Ok(read) => read,
                Err(error) => return (error.kind() == ErrorKind::WouldBlock).then_some(()),
            };
            let heads = buffer[..read].iter().filter(|&&byte| self.ends_head(byte)).count();
            self.stream.write_all(answers.get(..heads * RESPONSE.len())?).ok()?;
            // A short read has taken all there was.
            if read < buffer.len() {
                return Some(());
            }
        }
    }

    fn ends_head(&mut self, byte: u8) -> bool {
        self.matched = match (byte, self.matched) {
            (b'\r', 0 | 2) | (b'\n', 1) => self.matched + 1,
            (b'\r', _) => 1,
            (b'\n', 3) => {
                self.matched = 0;
                return true;
            }
            _ => 0,
        };
        false
    }
}
