//! The floor of the WebSocket benches: a TCP echo on one thread with one large buffer, which knows no protocol.

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::io::{Error, ErrorKind, Read, Write};

struct Connection {
    stream: TcpStream,
    /// What the peer has not taken yet, from `written` on.
    pending: Vec<u8>,
    written: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const LISTENER: Token = Token(usize::MAX);
    let options = endwell_benches::Options::from_args()?;
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(1024));
    let mut listener = TcpListener::bind(options.listen)?;
    println!("{}", listener.local_addr()?);
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let (mut connections, mut free) = (Vec::<Option<Connection>>::new(), Vec::new());
    let mut buffer = vec![0; 256 << 10];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            let token = event.token();
            if token != LISTENER {
                let Some(slot) = connections.get_mut(token.0) else { continue };
                if slot.as_mut().is_some_and(|connection| connection.echo(&mut buffer).is_err()) {
                    *slot = None;
                    free.push(token.0);
                }
                continue;
            }
            while let Ok((mut stream, _)) = listener.accept() {
                stream.set_nodelay(true)?;
                let index = free.pop().unwrap_or_else(|| {
                    connections.push(None);
                    connections.len() - 1
                });
                let interest = Interest::READABLE | Interest::WRITABLE;
                poll.registry().register(&mut stream, Token(index), interest)?;
                connections[index] = Some(Connection { stream, pending: Vec::new(), written: 0 });
            }
        }
    }
}

impl Connection {
    /// Reads only when everything has been written.
    fn echo(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
        let Self { stream, pending, written } = self;
        while *written < pending.len() {
            let Some(more) = would_block(stream.write(&pending[*written..]))? else { return Ok(()) };
            *written += more;
        }
        pending.clear();
        *written = 0;
        loop {
            let Some(read) = would_block(stream.read(buffer))? else { return Ok(()) };
            if read == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let mut written = 0;
            while written < read {
                let Some(more) = would_block(stream.write(&buffer[written..read]))? else {
                    pending.extend(&buffer[written..read]);
                    return Ok(());
                };
                written += more;
            }
            // A short read has taken all there was.
            if read < buffer.len() {
                return Ok(());
            }
        }
    }
}

fn would_block(result: Result<usize, Error>) -> Result<Option<usize>, Error> {
    match result {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        result => result.map(Some),
    }
}
