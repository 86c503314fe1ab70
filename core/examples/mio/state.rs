//! The protocol of a connection: the states of the core.

use std::mem;
use std::net::Shutdown;

use bytes::Bytes;
use endwell_core::http::Streaming;
use endwell_core::http::server::{After, Exchange, Next, ServerConnection};
use endwell_core::ws::{CloseCode, DataMessage, Socket};
use endwell_core::{Bound, Closing, Ending, Exceeded, Instant, Io, Limit, Outcome};
use mio::net::TcpStream;

use super::application::{answer, echo, echo_messages, hello};
use super::connection::{Shared, reset};

/// One value, and beside it what waits for room in the output.
pub(crate) enum State {
    Idle(ServerConnection),
    /// The application works until then.
    Later(Exchange, Instant),
    Echo(Exchange<Streaming>, Bytes),
    Socket(Socket, Option<DataMessage>),
    Closing(Closing),
    Over(Outcome),
}

/// What an application waits for.
pub(crate) enum Waits {
    ForPeer,
    /// For room in its own output.
    ForRoom,
    /// For something else, which has come by then.
    Until(Instant),
}

pub(crate) enum Step {
    On(State),
    Wait(State, Waits),
}
use Step::{On, Wait};
use Waits::{ForPeer, Until};

impl State {
    pub(crate) fn io(&mut self) -> Option<Io<'_>> {
        Some(match self {
            Self::Idle(server) => server.io(),
            Self::Later(exchange, _) => exchange.io(),
            Self::Echo(exchange, _) => exchange.io(),
            Self::Socket(socket, _) => socket.io(),
            Self::Closing(closing) => closing.io(),
            Self::Over(_) => return None,
        })
    }

    /// Goes on until it waits.
    pub(crate) fn advance(&mut self, stream: &TcpStream, shared: &Shared) -> Waits {
        loop {
            match mem::replace(self, Self::Over(Outcome::Transport)).step(stream, shared) {
                On(state) => *self = state,
                Wait(state, waits) => {
                    *self = state;
                    return waits;
                }
            }
        }
    }

    /// Duty 13: the bytes that it holds.
    pub(crate) fn held(&mut self) -> usize {
        let beside = match self {
            Self::Echo(_, rest) => rest.len(),
            Self::Socket(socket, late) => {
                socket.held_bytes() + late.as_ref().map_or(0, |late| late.data().len())
            }
            Self::Idle(_) | Self::Later(..) | Self::Closing(_) | Self::Over(_) => 0,
        };
        self.io().map_or(0, |io| io.unread() + io.queued()) + beside
    }

    fn step(self, stream: &TcpStream, shared: &Shared) -> Step {
        match self {
            // Duty 12.
            Self::Idle(server) if shared.stops && server.is_idle() => On(Self::Closing(server.close())),
            Self::Socket(socket, _) if shared.stops => {
                On(Self::Closing(socket.close(CloseCode::GOING_AWAY.into())))
            }
            Self::Idle(server) => match server.poll() {
                Next::Wait(server) => Wait(Self::Idle(server), ForPeer),
                Next::Request(head, exchange) => On(answer(&head, exchange, shared)),
                Next::Refused(refusal) => On(Self::Closing(refusal.answer(shared.date.as_ref()))),
                Next::Closing(closing) => On(Self::Closing(closing)),
            },
            Self::Later(exchange, at) if shared.now < at => Wait(Self::Later(exchange, at), Until(at)),
            Self::Later(exchange, _) => On(hello(exchange, shared)),
            Self::Echo(exchange, rest) => echo(exchange, rest),
            Self::Socket(socket, late) => echo_messages(socket, late),
            // Duty 7.
            Self::Closing(closing) => match closing.poll() {
                Ending::Wait(closing) => Wait(Self::Closing(closing), ForPeer),
                Ending::EndWrite(closing) => {
                    // A peer that has left already shows in the next read.
                    let _left = stream.shutdown(Shutdown::Write);
                    On(Self::Closing(closing))
                }
                Ending::Done(outcome) => On(Self::Over(outcome)),
                Ending::Reset(outcome) => {
                    reset(stream);
                    On(Self::Over(outcome))
                }
            },
            Self::Over(outcome) => Wait(Self::Over(outcome), ForPeer),
        }
    }

    /// Duty 18: how it ended.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::Over(outcome) => outcome,
            // The transport has failed. A close that was agreed on before remains one.
            Self::Closing(closing) => closing.into_ended(),
            Self::Idle(_) | Self::Later(..) | Self::Echo(..) | Self::Socket(..) => Outcome::Transport,
        }
    }

    /// Duty 13: gives up what it holds, of which `bytes` is the bound.
    pub(crate) fn shed(&mut self, stream: &TcpStream, bytes: usize) {
        *self = match mem::replace(self, Self::Over(Outcome::Transport)) {
            Self::Socket(socket, _) => Self::Closing(socket.close(CloseCode::TRY_AGAIN_LATER.into())),
            Self::Idle(_) | Self::Later(..) | Self::Echo(..) | Self::Closing(_) | Self::Over(_) => {
                reset(stream);
                let bound = Bound::Bytes(bytes.try_into().unwrap_or(u64::MAX));
                Self::Over(Outcome::Exceeded(Exceeded { limit: Limit::HeldBytes, bound }))
            }
        };
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
