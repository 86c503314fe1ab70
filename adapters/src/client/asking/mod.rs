//! A client's side of a connection. Responses are stored here, so that the driver can read them while the application
//! writes its request, or does something else.

mod calling;
mod drive;
mod rights;

use std::collections::VecDeque;
use std::mem;
use std::task::Poll;
use std::time::Duration;

use endwell_core::http::client::Failure;
use endwell_core::http::client::{ClientConnection, GrantHead, Handshake, Opening};
use endwell_core::http::{BodyWriter, Fields, InterimHead, ResponseHead};
use endwell_core::ws::Socket;
use endwell_core::{Io, Pace, Upgraded};

use crate::client::RequestError;
use crate::{Ended, EndedKind};
pub(crate) use calling::Calling;
use calling::Found;

/// A client's request, and what has come in response.
pub(crate) struct Asking {
    phase: Phase,
    /// Interim responses that were not taken yet. The core bounds their number.
    interims: VecDeque<InterimHead>,
    /// The server asked for the withheld body, or its time to ask has passed.
    is_wanted: bool,
    trailers: Option<Fields>,
    /// The total output when the request began.
    begins: u64,
    /// Why nothing more can be written, while the response is still read.
    write_error: Option<Ended>,
}

/// How far the response is.
pub(crate) enum Phase {
    /// No request is open.
    Idle(ClientConnection),
    /// The connection waits for a head.
    Waiting(Calling),
    /// The connection waits for the response to a WebSocket handshake.
    Upgrading(Handshake<Socket>),
    /// The connection waits for the response to a CONNECT, or to the offer of any protocol.
    Switching(Handshake<Upgraded>),
    /// The final head has arrived, and was not taken yet.
    Head(Calling),
    /// The head was taken, and the body is being read.
    Body(Calling),
    /// The connection has become a WebSocket, which was not taken yet.
    Opened(Socket, Box<InterimHead>),
    /// The connection has become a byte stream, which was not taken yet.
    Through(Upgraded, GrantHead),
    /// No response came.
    Failed(RequestError),
    /// No further request is sent here.
    Over,
}

/// The answer to a request, to an offer of a WebSocket or of another protocol, or to a CONNECT.
pub(crate) enum Answer {
    /// A WebSocket, with its subprotocol.
    Open(Option<Box<str>>, InterimHead),
    /// A byte stream.
    Through(GrantHead),
    /// An ordinary response.
    Response(ResponseHead),
}

impl Asking {
    pub(crate) fn new(client: ClientConnection) -> Self {
        Self {
            phase: Phase::Idle(client),
            interims: VecDeque::new(),
            is_wanted: false,
            trailers: None,
            begins: 0,
            write_error: None,
        }
    }

    /// The request that is open.
    fn call(&mut self) -> Option<&mut Calling> {
        match &mut self.phase {
            Phase::Waiting(call) | Phase::Head(call) | Phase::Body(call) => Some(call),
            _ => None,
        }
    }

    /// Takes the request that is open to another right.
    fn change(&mut self, change: impl FnOnce(Calling) -> Calling) {
        self.phase = match mem::replace(&mut self.phase, Phase::Over) {
            Phase::Waiting(call) => Phase::Waiting(change(call)),
            Phase::Head(call) => Phase::Head(change(call)),
            Phase::Body(call) => Phase::Body(change(call)),
            other => other,
        };
    }

    /// The transport's side.
    pub(crate) fn io(&mut self) -> Option<Io<'_>> {
        match &mut self.phase {
            Phase::Idle(client) => Some(client.io()),
            Phase::Waiting(call) | Phase::Head(call) | Phase::Body(call) => Some(call.io()),
            Phase::Upgrading(handshake) => Some(handshake.io()),
            Phase::Switching(handshake) => Some(handshake.io()),
            Phase::Opened(socket, _) => Some(socket.io()),
            Phase::Through(upgraded, _) => Some(upgraded.io()),
            Phase::Failed(_) | Phase::Over => None,
        }
    }

    /// The writer of the body of the request.
    pub(crate) fn writer(&mut self) -> Option<BodyWriter<'_>> {
        self.call()?.writer()
    }

    pub(crate) fn set_body_pace(&mut self, pace: Pace) {
        if let Phase::Body(call) = &mut self.phase {
            call.set_body_pace(pace);
        }
    }

    fn set_response_time(&mut self, time: Option<Duration>) {
        match &mut self.phase {
            Phase::Waiting(call) => call.set_response_time(time),
            Phase::Upgrading(handshake) => handshake.set_response_time(time),
            Phase::Switching(handshake) => handshake.set_response_time(time),
            _ => {}
        }
    }

    /// The fields after the body of the response, once it was read to its end.
    pub(crate) fn trailers(&self) -> Option<&Fields> {
        self.trailers.as_ref()
    }

    /// Why nothing more can be written, though the response is still read.
    pub(crate) fn write_error(&self) -> Option<&Ended> {
        self.write_error.as_ref()
    }

    /// True if the connection has no open request, and had not ended at the last look.
    fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle(_))
    }

    /// True if a withheld body need not wait any longer.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_wanted || !matches!(self.phase, Phase::Waiting(_))
    }

    /// True if the driver reads unasked: for a head, or for the end.
    pub(crate) fn waits(&self) -> bool {
        matches!(self.phase, Phase::Idle(_) | Phase::Waiting(_) | Phase::Upgrading(_) | Phase::Switching(_))
    }

    /// True while a head is waited for of which no byte has come.
    pub(super) fn is_untouched(&self) -> bool {
        match &self.phase {
            Phase::Waiting(call) => call.is_untouched(),
            Phase::Upgrading(handshake) => handshake.is_untouched(),
            Phase::Switching(handshake) => handshake.is_untouched(),
            _ => false,
        }
    }

    /// The stall that ended the request, if no byte of its response has come. A server that takes nothing more may have
    /// responded before, but it is not waited for a second time.
    fn stalled(&self) -> Option<&Ended> {
        self.write_error.as_ref().filter(|ended| ended.is_stall() && self.is_untouched())
    }

    /// Takes the next interim response. Ready with `None` if no further one will come.
    fn interim(&mut self) -> Poll<Option<InterimHead>> {
        match (self.interims.pop_front(), &self.phase) {
            (None, Phase::Waiting(_)) => Poll::Pending,
            (next, _) => Poll::Ready(next),
        }
    }

    /// Ends the exchange, after the connection has ended with `sent` bytes of output in total. What has arrived is
    /// kept.
    pub(crate) fn cut(&mut self, ended: &Ended, sent: u64) {
        if !self.waits() {
            return;
        }
        // A failed transport and a dropped driver reveal as little about the request as the end of the stream.
        let is_cut =
            matches!(ended.kind(), EndedKind::ByPeer | EndedKind::Transport(_) | EndedKind::Cancelled);
        let failure = if self.is_idle() || sent <= self.begins {
            RequestError::NotSent
        } else if is_cut && self.is_untouched() {
            RequestError::Unanswered
        } else {
            RequestError::Failed
        };
        self.phase = Phase::Failed(failure(ended.clone()));
    }

    /// Parses what has arrived. Returns how the connection has ended, if it has.
    fn advance(&mut self) -> Result<(), Ended> {
        loop {
            self.phase = match mem::replace(&mut self.phase, Phase::Over) {
                Phase::Idle(client) => match client.poll() {
                    Ok(client) => {
                        self.phase = Phase::Idle(client);
                        return Ok(());
                    }
                    Err(known) => {
                        let ended = Ended::of_http(&known);
                        self.phase = Phase::Failed(RequestError::NotSent(ended.clone()));
                        return Err(ended);
                    }
                },
                Phase::Waiting(mut call) => match call.find() {
                    Found::Nothing => {
                        self.phase = Phase::Waiting(call);
                        return Ok(());
                    }
                    Found::Continue => {
                        self.is_wanted = true;
                        Phase::Waiting(call)
                    }
                    Found::Interim(head) => {
                        self.interims.push_back(head);
                        Phase::Waiting(call)
                    }
                    Found::Head => Phase::Head(call),
                    Found::Failed(failure) => return Err(self.failed(failure)),
                },
                Phase::Upgrading(handshake) => match handshake.poll() {
                    Opening::Wait(handshake) => {
                        self.phase = Phase::Upgrading(handshake);
                        return Ok(());
                    }
                    Opening::Open(GrantHead::Switching(head), socket) => Phase::Opened(socket, head),
                    // Only a 101 opens a socket.
                    Opening::Open(GrantHead::Success(_), _) => Phase::Over,
                    Opening::Refused(call) => Phase::Waiting(Calling::Sent(call)),
                    Opening::Failed(failure) => return Err(self.failed(failure)),
                },
                Phase::Switching(handshake) => match handshake.poll() {
                    Opening::Wait(handshake) => {
                        self.phase = Phase::Switching(handshake);
                        return Ok(());
                    }
                    Opening::Open(head, upgraded) => Phase::Through(upgraded, head),
                    Opening::Refused(call) => Phase::Waiting(Calling::Sent(call)),
                    Opening::Failed(failure) => return Err(self.failed(failure)),
                },
                other => {
                    self.phase = other;
                    return Ok(());
                }
            };
        }
    }

    fn failed(&mut self, failure: Failure) -> Ended {
        let (ended, failure): (Ended, fn(Ended) -> RequestError) = match failure {
            Failure::Unanswered => (Ended::BY_PEER, RequestError::Unanswered),
            Failure::Error(error) => (Ended::of_error(error), RequestError::Failed),
        };
        self.phase = Phase::Failed(failure(ended.clone()));
        ended
    }
}
