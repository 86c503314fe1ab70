//! Keeps a number of messages in flight on each connection.

use std::io::{Error, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use crate::answers::{Answers, Progress, READ};
use crate::requests::Request;
use crate::wire::{Connector, Wire};
use crate::{Options, Outcome};

struct Connection {
    wire: Wire,
    progress: Progress,
    /// Where in a request.
    sent: usize,
    /// How many bytes are to be written.
    owed: usize,
}

pub(crate) struct Echo {
    connections: Vec<Connection>,
    answers: Answers,
    /// One request more than there are in flight, so that what is owed is one slice.
    requests: Vec<u8>,
    period: usize,
    flight: usize,
    poll: Poll,
}

impl Echo {
    /// Opens all connections.
    pub(crate) fn open(options: &Options) -> Outcome<Self> {
        let (poll, request) = (Poll::new()?, Request::new(options)?);
        let connector = Connector::new(options)?;
        let (mut connections, mut answers) = (Vec::new(), None);
        for index in 0..options.connections {
            let mut wire = connector.connect()?;
            if index == 0 {
                answers = Some(Answers::new(options.speak, &request, &mut wire)?);
            }
            wire.stream().set_nonblocking(true)?;
            let fd = wire.stream().as_raw_fd();
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut SourceFd(&fd), Token(index), interest)?;
            connections.push(Connection { wire, progress: Progress::default(), sent: 0, owed: 0 });
        }
        Ok(Self {
            connections,
            answers: answers.ok_or("no connections")?,
            requests: request.there.repeat(options.flight + 1),
            period: request.there.len(),
            flight: options.flight,
            poll,
        })
    }

    /// Sends until `until`, receives what is in flight then, and counts.
    pub(crate) fn run(&mut self, until: Instant) -> Outcome<u64> {
        let Self { connections, answers, requests, period, flight, poll } = self;
        let (mut events, mut buffer) = (Events::with_capacity(1024), vec![0; READ]);
        let (mut echoed, mut in_flight) = (0, connections.len() * *flight);
        for connection in &mut *connections {
            connection.owed = *period * *flight;
            connection.write(requests, *period)?;
        }
        while in_flight > 0 {
            poll.poll(&mut events, Some(Duration::from_secs(10)))?;
            if events.is_empty() {
                return Err(format!("no answer for 10 s, to {in_flight} messages").into());
            }
            let goes_on = Instant::now() < until;
            for event in &events {
                let connection = &mut connections[event.token().0];
                connection.write(requests, *period)?;
                while let Some(read) = would_block(connection.wire.read(&mut buffer))? {
                    if read == 0 {
                        return Err("the server has left".into());
                    }
                    let answered = answers.take(&mut connection.progress, &buffer[..read])?;
                    echoed += answered as u64;
                    if goes_on {
                        connection.owed += answered * *period;
                        connection.write(requests, *period)?;
                    } else {
                        in_flight -= answered;
                    }
                    // A short read has taken all there was, unless it was of one TLS record.
                    if read < READ && matches!(connection.wire, Wire::Plain(_)) {
                        break;
                    }
                }
            }
        }
        Ok(echoed)
    }
}

impl Connection {
    fn write(&mut self, requests: &[u8], period: usize) -> Result<(), Error> {
        while self.owed > 0 {
            let next = &requests[self.sent..self.sent + self.owed];
            let Some(written) = would_block(self.wire.write(next))? else { return Ok(()) };
            self.owed -= written;
            self.sent = (self.sent + written) % period;
        }
        would_block(self.wire.flush()).map(drop)
    }
}

pub(crate) fn would_block<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        result => result.map(Some),
    }
}
