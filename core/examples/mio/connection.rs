//! One connection: its socket, its protocol, and what happens in a turn.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::mem;
use std::time::Duration;

use bytes::BytesMut;
use endwell_core::http::Date;
use endwell_core::{Arrived, Deadline, Instant, Look, Outcome, Wrote};
use mio::net::TcpStream;
use socket2::SockRef;

use super::Settings;
use super::state::{State, Waits};

/// What connections share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) memory: Memory,
    pub(crate) now: Instant,
    pub(crate) date: Option<Date>,
    /// The server stops.
    pub(crate) stops: bool,
}

pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) state: State,
    pub(crate) deadline: Option<Instant>,
    pub(crate) held: usize,
}

/// What follows a turn.
pub(crate) enum Turn {
    /// The next event of the socket, and no later than then.
    Wait(Option<Instant>),
    /// Another turn, once the others have had theirs: no event will say that there is more.
    Again,
    Over,
}

/// The most bytes of one read, and those of one turn.
const READ: usize = 64 << 10;
const TURN: usize = 256 << 10;

impl Connection {
    pub(crate) fn turn(&mut self, shared: &mut Shared) -> io::Result<Turn> {
        shared.memory.lend(&mut self.state);
        let turn = self.ask_write_read(shared);
        shared.memory.reclaim(&mut self.state);
        turn
    }

    fn ask_write_read(&mut self, shared: &Shared) -> io::Result<Turn> {
        let Self { stream, state, .. } = self;
        let now = shared.now;
        let mut passed = 0;
        loop {
            // Duty 1.
            let waits = state.advance(stream, shared);
            let Some(mut io) = state.io() else { return Ok(Turn::Over) };
            // Duty 2.
            let wrote = io.write(now, |chunks| {
                let slices = chunks.take(16).map(IoSlice::new).collect::<Vec<_>>();
                let taken = or_blocked(stream.write_vectored(&slices))?;
                passed += taken.unwrap_or(0);
                Ok::<_, io::Error>(taken)
            })?;
            let stall = match wrote {
                Wrote::Something => continue,
                Wrote::Empty => None,
                Wrote::Blocked(deadline) => deadline,
                // Duty 8.
                Wrote::Stalled(exceeded) => {
                    reset(stream);
                    *state = State::Over(Outcome::Exceeded(exceeded));
                    return Ok(Turn::Over);
                }
            };
            // Duty 5.
            if passed > TURN {
                return Ok(Turn::Again);
            }
            let look = |room: &mut [u8]| {
                Ok::<_, io::Error>(match or_blocked(stream.read(room))? {
                    None => Look::Nothing,
                    Some(0) => Look::End,
                    Some(len) => {
                        passed += len;
                        Look::Bytes(len)
                    }
                })
            };
            let arrived = match waits {
                // Duty 3.
                Waits::ForPeer => io.read(now, look)?,
                // Duty 4.
                Waits::ForRoom | Waits::Until(_) => io.read_ahead(now, look)?,
            };
            let silence = match arrived {
                Arrived::Something => continue,
                Arrived::Nothing(deadline) => deadline,
                Arrived::Full => None,
                Arrived::Cut => return Ok(Turn::Over),
            };
            // Duty 9.
            if arrived == Arrived::Full || io.has_ended() {
                stream.take_error()?.map_or(Ok(()), Err)?;
            }
            let limit = Deadline::earlier(stall, silence).map(|deadline| deadline.at);
            let work = if let Waits::Until(at) = waits { Some(at) } else { None };
            return Ok(Turn::Wait(limit.into_iter().chain(work).min()));
        }
    }
}

fn or_blocked(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        result => result.map(Some),
    }
}

/// Duty 7: makes the drop of the stream a reset.
pub(crate) fn reset(stream: &TcpStream) {
    let _gone = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

/// Duty 14: memory for the turn of one connection. One that waits keeps only what is unread and unsent.
#[derive(Default)]
pub(crate) struct Memory {
    room: BytesMut,
    output: Vec<u8>,
}

impl Memory {
    fn lend(&mut self, state: &mut State) {
        let Some(mut io) = state.io() else { return };
        if self.room.len() < READ {
            self.room = BytesMut::zeroed(READ);
        }
        self.room = io.lend(mem::take(&mut self.room)).err().unwrap_or_default();
        self.output = io.lend_output(mem::take(&mut self.output)).err().unwrap_or_default();
    }

    fn reclaim(&mut self, state: &mut State) {
        let Some(mut io) = state.io() else { return };
        self.room = io.reclaim().unwrap_or_default();
        self.output = io.reclaim_output().unwrap_or_default();
    }
}
