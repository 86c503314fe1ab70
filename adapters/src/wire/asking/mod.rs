//! A client's side of a connection. Responses are stored here, so that the driver can read them while the application
//! writes its request, or does something else.

mod drive;
mod rights;

use std::collections::VecDeque;
use std::mem;
use std::task::Poll;

use bytes::Bytes;
use endwell_core::http::client::{
    self, Client, Closed, Continue, Finished, Next, Received, ResponseBody, Tunnel, Tunnelled,
};
use endwell_core::http::{Fields, InterimResponse, ResponseHead, Upgraded};
use endwell_core::ws::{Handshake, Opening, WebSocket};
use endwell_core::{Deadline, Inbox, Instant, Limit, Step};

use super::Http;
use crate::Ended;
use crate::client::Failure;

/// A client's request, and what has come in response.
pub(crate) struct Asking {
    phase: Phase,
    sent: Sent,
    /// Interim responses that were not taken yet. The core bounds their number.
    interims: VecDeque<InterimResponse>,
    wanted: Option<Continue>,
    trailers: Option<Fields>,
    /// The total output when the request began.
    begins: u64,
    /// Why nothing more can be written, while the response is still read.
    write_error: Option<Ended>,
}

/// How far the response is.
pub(crate) enum Phase {
    /// No request is open.
    Idle(Client),
    /// The connection waits for a head.
    Waiting(client::Response),
    /// The connection waits for the response to a WebSocket handshake.
    Upgrading(Handshake),
    /// The connection waits for the response to a CONNECT.
    Tunnelling(Tunnel),
    /// The final head has arrived, and was not taken yet.
    Head(Received),
    /// The head was taken, and the body is being read.
    Body(ResponseBody),
    /// The connection has become a WebSocket, which was not taken yet.
    Open(Option<Box<str>>, InterimResponse),
    /// The connection has become a tunnel, which was not taken yet.
    Through(ResponseHead, Upgraded),
    /// No response came.
    Failed(Failure),
    /// No further request is sent here.
    Over,
}

/// How far the request is.
pub(crate) enum Sent {
    /// Its body is still being written.
    Open,
    /// Its body waits for 100 Continue.
    Withheld,
    /// It is complete.
    Finished(Finished),
    /// It has no body, and the proof comes with the response; or it was cut off, and there is no proof.
    Nothing,
}

/// The response to a request, to an offer to become a WebSocket, or to a CONNECT.
pub(crate) enum Answer {
    Open(Option<Box<str>>, InterimResponse),
    Through(ResponseHead, Bytes),
    Refused(ResponseHead),
}

impl Asking {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            phase: Phase::Idle(client),
            sent: Sent::Nothing,
            interims: VecDeque::new(),
            wanted: None,
            trailers: None,
            begins: 0,
            write_error: None,
        }
    }

    /// The body of the response, once its head was taken.
    pub(super) fn body(&mut self) -> Option<&mut ResponseBody> {
        match &mut self.phase {
            Phase::Body(body) => Some(body),
            Phase::Idle(_)
            | Phase::Waiting(_)
            | Phase::Upgrading(_)
            | Phase::Tunnelling(_)
            | Phase::Head(_)
            | Phase::Open(..)
            | Phase::Through(..)
            | Phase::Failed(_)
            | Phase::Over => None,
        }
    }

    pub(super) fn inbox(&mut self) -> Option<&mut Inbox> {
        match &mut self.phase {
            Phase::Idle(client) => Some(client.inbox()),
            Phase::Waiting(response) => Some(response.inbox()),
            Phase::Upgrading(handshake) => Some(handshake.inbox()),
            Phase::Tunnelling(tunnel) => Some(tunnel.inbox()),
            Phase::Head(received) => Some(received.body.inbox()),
            Phase::Body(body) => Some(body.inbox()),
            Phase::Open(..) | Phase::Through(..) | Phase::Failed(_) | Phase::Over => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Deadline> {
        match &self.phase {
            Phase::Idle(client) => client.deadline(),
            Phase::Waiting(response) => response.deadline(),
            Phase::Upgrading(handshake) => handshake.deadline(),
            Phase::Tunnelling(tunnel) => tunnel.deadline(),
            Phase::Head(_)
            | Phase::Body(_)
            | Phase::Open(..)
            | Phase::Through(..)
            | Phase::Failed(_)
            | Phase::Over => None,
        }
    }

    /// The fields after the body of the response, once it was read to its end.
    pub(crate) fn trailers(&self) -> Option<&Fields> {
        self.trailers.as_ref()
    }

    /// True if the connection has no open request, and had not ended at the last look.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle(_))
    }

    /// True if the driver reads unasked: for a head, or for the end.
    fn waits(&self) -> bool {
        matches!(self.phase, Phase::Idle(_) | Phase::Waiting(_) | Phase::Upgrading(_) | Phase::Tunnelling(_))
    }

    /// The stall that ended the request, if no byte of its response has come. A server that takes nothing more may have
    /// responded before, but it is not waited for a second time.
    fn stalled(&mut self) -> Option<&Ended> {
        if !self.waits() || !self.inbox().is_some_and(|inbox| inbox.is_empty()) {
            return None;
        }
        self.write_error.as_ref().filter(|ended| ended.is_stall())
    }

    /// Takes the next interim response. Ready with `None` if no further one will come.
    fn interim(&mut self) -> Poll<Option<InterimResponse>> {
        match (self.interims.pop_front(), &self.phase) {
            (None, Phase::Waiting(_)) => Poll::Pending,
            (next, _) => Poll::Ready(next),
        }
    }

    /// Ends the exchange, after the connection has ended with `sent` bytes of output in total. What has arrived is
    /// kept.
    pub(super) fn cut(&mut self, ended: &Ended, sent: u64) {
        let is_untouched = match &self.phase {
            Phase::Idle(_) => true,
            Phase::Waiting(response) => response.is_untouched(),
            Phase::Upgrading(handshake) => handshake.is_untouched(),
            Phase::Tunnelling(tunnel) => tunnel.is_untouched(),
            Phase::Head(_)
            | Phase::Body(_)
            | Phase::Open(..)
            | Phase::Through(..)
            | Phase::Failed(_)
            | Phase::Over => return,
        };
        // A failed transport and a dropped driver reveal as little about the request as the end of the stream.
        let is_cut = matches!(ended, Ended::ByPeer | Ended::Transport(_) | Ended::Cancelled);
        let failure = if self.is_idle() || sent <= self.begins {
            Failure::NotSent
        } else if is_cut && is_untouched {
            Failure::Unanswered
        } else {
            Failure::Failed
        };
        self.phase = Phase::Failed(failure(ended.clone()));
    }

    /// True while the request is being sent: the server's silence means nothing then. A request that can no longer be
    /// sent is not waited for, even if a task still holds the right to write it.
    fn goes_out(&self, is_flushed: bool) -> bool {
        (!is_flushed || matches!(self.sent, Sent::Open)) && self.write_error.is_none()
    }

    /// True if the server's time for a response is over.
    fn is_late(&self, now: Instant) -> bool {
        let deadline = self.deadline().filter(|deadline| deadline.reason == Limit::ResponseTime);
        deadline.is_some_and(|deadline| now >= deadline.at)
    }

    /// Stops waiting for the server.
    fn pause(&mut self) {
        match &mut self.phase {
            Phase::Waiting(response) => response.pause(),
            Phase::Upgrading(handshake) => handshake.pause(),
            Phase::Tunnelling(tunnel) => tunnel.pause(),
            Phase::Idle(_)
            | Phase::Head(_)
            | Phase::Body(_)
            | Phase::Open(..)
            | Phase::Through(..)
            | Phase::Failed(_)
            | Phase::Over => {}
        }
    }

    /// Parses what has arrived. Returns what the rest of the wire must know of the result.
    fn advance(&mut self) -> Result<Option<Box<WebSocket>>, Ended> {
        loop {
            self.phase = match mem::replace(&mut self.phase, Phase::Over) {
                Phase::Idle(client) => match client.poll() {
                    Step::Wait(client) => {
                        self.phase = Phase::Idle(client);
                        return Ok(None);
                    }
                    Step::Done(closed) => return Err(self.closed(closed)),
                },
                Phase::Waiting(response) => match response.poll() {
                    Ok(Step::Wait(response)) => {
                        self.phase = Phase::Waiting(response);
                        return Ok(None);
                    }
                    Ok(Step::Done(Next::Continue(wanted, response))) => {
                        self.wanted = Some(wanted);
                        Phase::Waiting(response)
                    }
                    Ok(Step::Done(Next::Interim(head, response))) => {
                        self.interims.push_back(head);
                        Phase::Waiting(response)
                    }
                    Ok(Step::Done(Next::Final(received))) => Phase::Head(received),
                    Err(failure) => return Err(self.failed(failure)),
                },
                Phase::Upgrading(handshake) => match handshake.poll() {
                    Ok(Step::Wait(handshake)) => {
                        self.phase = Phase::Upgrading(handshake);
                        return Ok(None);
                    }
                    Ok(Step::Done(Opening::Open(mut socket, head))) => {
                        self.phase = Phase::Open(socket.subprotocol.take(), head);
                        return Ok(Some(socket.into()));
                    }
                    Ok(Step::Done(Opening::Refused(received, finished))) => {
                        self.sent = Sent::Finished(finished);
                        Phase::Head(received)
                    }
                    Err(failure) => return Err(self.failed(failure)),
                },
                Phase::Tunnelling(tunnel) => match tunnel.poll() {
                    Ok(Step::Wait(tunnel)) => {
                        self.phase = Phase::Tunnelling(tunnel);
                        return Ok(None);
                    }
                    Ok(Step::Done(Tunnelled::Open(head, upgraded))) => Phase::Through(head, upgraded),
                    Ok(Step::Done(Tunnelled::Refused(received, finished))) => {
                        self.sent = Sent::Finished(finished);
                        Phase::Head(received)
                    }
                    Err(failure) => return Err(self.failed(failure)),
                },
                settled @ (Phase::Head(_)
                | Phase::Body(_)
                | Phase::Open(..)
                | Phase::Through(..)
                | Phase::Failed(_)
                | Phase::Over) => {
                    self.phase = settled;
                    return Ok(None);
                }
            };
        }
    }

    fn closed(&mut self, closed: Closed) -> Ended {
        let ended = match closed {
            Closed::ByPeer => Ended::ByPeer,
            Closed::Idle(exceeded) => exceeded.into(),
            Closed::Unasked(violation) => Ended::Protocol(violation),
        };
        self.phase = Phase::Failed(Failure::NotSent(ended.clone()));
        ended
    }

    fn failed(&mut self, failure: client::Failure) -> Ended {
        let (ended, failure): (Ended, fn(Ended) -> Failure) = match failure {
            client::Failure::Unanswered => (Ended::ByPeer, Failure::Unanswered),
            client::Failure::Error(error) => (error.into(), Failure::Failed),
        };
        self.phase = Phase::Failed(failure(ended.clone()));
        ended
    }
}

impl Http {
    /// Why a client can write no more, though it still reads.
    pub(super) fn write_error(&self) -> Option<&Ended> {
        match self {
            Self::Asking(asking) => asking.write_error.as_ref(),
            Self::Nothing | Self::Request(_) => None,
        }
    }

    /// True if a withheld body need not wait any longer.
    pub(super) fn is_settled(&self) -> bool {
        match self {
            Self::Asking(asking) => asking.wanted.is_some() || !matches!(asking.phase, Phase::Waiting(_)),
            Self::Nothing | Self::Request(_) => true,
        }
    }
}
