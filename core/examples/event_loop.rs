//! One thread, any number of connections: a server on the core alone, with mio to wait for the sockets.
//!
//! `cargo run -p endwell-core --example event_loop -- 127.0.0.1:8080` answers GET with a line, echoes what is sent to
//! `/echo` while it arrives, and echoes the messages of a WebSocket at `/ws`. All state of a connection is one field.

#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "a driver has a clock")]

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use endwell_core::http::server::{After, Exchange, Next, ServerConnection};
use endwell_core::http::{BodyEvent, Framing, HttpLimits, RequestHead, Response, StatusCode, Streaming};
use endwell_core::ws::{self, Acceptance, CloseCode, Origins};
use endwell_core::ws::{Event, Socket};
use endwell_core::{Arrived, Closing, Deadline, Ending, Instant, Io, Look, OutboxLimits, Wrote};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

enum State {
    Idle(ServerConnection),
    Echo(Exchange<Streaming>),
    Socket(Socket),
    Closing(Closing),
    Over,
}

enum Step {
    On(State),
    Wait(State),
}
use Step::{On, Wait};

impl State {
    fn io(&mut self) -> Option<Io<'_>> {
        Some(match self {
            Self::Idle(server) => server.io(),
            Self::Echo(exchange) => exchange.io(),
            Self::Socket(socket) => socket.io(),
            Self::Closing(closing) => closing.io(),
            Self::Over => return None,
        })
    }

    fn step(self, stream: &TcpStream) -> Step {
        match self {
            Self::Idle(server) => match server.poll() {
                Next::Wait(server) => Wait(Self::Idle(server)),
                Next::Request(head, exchange) => On(answer(&head, exchange)),
                Next::Refused(refusal) => On(Self::Closing(refusal.answer(None))),
                Next::Closing(closing) => On(Self::Closing(closing)),
            },
            Self::Echo(exchange) => echo(exchange),
            Self::Socket(socket) => echo_messages(socket),
            Self::Closing(closing) => match closing.poll() {
                Ending::Wait(closing) => Wait(Self::Closing(closing)),
                // A peer that has left already shows in the next read.
                Ending::EndWrite(closing) => {
                    let _left = stream.shutdown(Shutdown::Write);
                    On(Self::Closing(closing))
                }
                Ending::Done(_) | Ending::Reset(_) => On(Self::Over),
            },
            Self::Over => Wait(Self::Over),
        }
    }
}

impl From<After> for State {
    fn from(after: After) -> Self {
        match after {
            After::Again(server) => Self::Idle(server),
            After::Closing(closing) => Self::Closing(closing),
        }
    }
}

fn answer(head: &RequestHead, mut exchange: Exchange) -> State {
    match head.path() {
        "/ws" => {
            let acceptance = Acceptance::new(ws::SocketLimits::default().into()).origins(Origins::Any);
            match exchange.accept(acceptance, None) {
                Ok(socket) => State::Socket(socket),
                Err((reason, exchange)) => exchange.respond(&reason.head(), "".into(), None).next().into(),
            }
        }
        "/echo" => {
            exchange.proceed();
            State::Echo(exchange.start(&Response::new(StatusCode::OK), Framing::Chunked, None))
        }
        _ => exchange.respond(&Response::new(StatusCode::OK), "hello\n".into(), None).next().into(),
    }
}

/// Writes what is received while it is borrowed. What does not fit waits in the receive buffer, which is no larger.
fn echo(mut exchange: Exchange<Streaming>) -> Step {
    loop {
        let (body, mut writer) = exchange.split();
        if writer.room() < 64 << 10 {
            return Wait(State::Echo(exchange));
        }
        match body.event() {
            None => return Wait(State::Echo(exchange)),
            Some(BodyEvent::Data(data)) => assert_eq!(writer.copy(&data), data.len()),
            Some(BodyEvent::Trailers(_)) => {}
            Some(BodyEvent::End) => match exchange.finish(None) {
                Ok(answered) => return On(answered.next().into()),
                Err(short) => return On(State::Closing(short.abort())),
            },
            Some(BodyEvent::Failed(_)) => return On(State::Closing(exchange.abort())),
        }
    }
}

fn echo_messages(mut socket: Socket) -> Step {
    loop {
        let written = match socket.split() {
            (None, _) => return Wait(State::Socket(socket)),
            (Some(Event::Text(text)), mut writer) => writer.text(&text).is_ok(),
            (Some(Event::Binary(data)), mut writer) => writer.binary(&data).is_ok(),
            (Some(Event::Ping(_) | Event::Pong(_)), _) => true,
            (Some(Event::Close(_) | Event::Failed(_)), _) => false,
        };
        if !written {
            return On(State::Closing(socket.close(CloseCode::TRY_AGAIN_LATER.into())));
        }
    }
}

struct Connection {
    stream: TcpStream,
    state: State,
    deadline: Option<Deadline>,
}

impl Connection {
    /// Goes as far as it can. False if the connection is over.
    fn turn(&mut self, now: Instant) -> io::Result<bool> {
        loop {
            loop {
                match std::mem::replace(&mut self.state, State::Over).step(&self.stream) {
                    On(state) => self.state = state,
                    Wait(state) => break self.state = state,
                }
            }
            let Self { stream, state, deadline } = self;
            let Some(mut io) = state.io() else { return Ok(false) };
            let stall = match io.write(now, |chunks| {
                blocked(stream.write_vectored(&chunks.take(16).map(IoSlice::new).collect::<Vec<_>>()))
            })? {
                Wrote::Something => continue,
                Wrote::Empty => None,
                Wrote::Blocked(deadline) => deadline,
                Wrote::Stalled(exceeded) => return Err(io::Error::new(ErrorKind::TimedOut, exceeded)),
            };
            *deadline = match io.read(now, |room| match blocked(stream.read(room))? {
                None => Ok::<_, io::Error>(Look::Nothing),
                Some(0) => Ok(Look::End),
                Some(len) => Ok(Look::Bytes(len)),
            })? {
                Arrived::Something => continue,
                Arrived::Cut => return Ok(false),
                Arrived::Full => stall,
                Arrived::Nothing(silence) => Deadline::earlier(stall, silence),
            };
            return Ok(true);
        }
    }
}

fn blocked(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        result => result.map(Some),
    }
}

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".into());
    let mut listener = TcpListener::bind(address.parse().map_err(io::Error::other)?)?;
    println!("{}", listener.local_addr()?);
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(256));
    poll.registry().register(&mut listener, Token(0), Interest::READABLE)?;
    let (mut connections, epoch) = (Vec::<Connection>::new(), std::time::Instant::now());
    loop {
        let now = Instant::from_epoch(epoch.elapsed());
        let due =
            connections.iter().filter_map(|connection| connection.deadline).map(|deadline| deadline.at).min();
        let wait = due.map(|at| at.saturating_since(now).saturating_add(Duration::from_millis(1)));
        poll.poll(&mut events, wait)?;
        while let Ok((mut stream, _)) = listener.accept() {
            poll.registry().register(&mut stream, Token(1), Interest::READABLE | Interest::WRITABLE)?;
            let state =
                State::Idle(ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default()));
            connections.push(Connection { stream, state, deadline: None });
        }
        let now = Instant::from_epoch(epoch.elapsed());
        connections.retain_mut(|connection| connection.turn(now).is_ok_and(|is_open| is_open));
    }
}
