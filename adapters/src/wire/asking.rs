//! A client's side of a connection: what answers it lies here, so that the driver can read it while the application
//! writes its request, or does something else.

use std::collections::VecDeque;
use std::mem;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use endwell_core::http::client::{self, Client, Closed, Continue, Finished, Next, Received, ResponseBody};
use endwell_core::http::{Event, Fields, InterimResponse, ResponseHead};
use endwell_core::ws::{Handshake, Opening, WebSocket};
use endwell_core::{Deadline, Inbox, Outbox, Step};

use super::{Http, Outcome, SocketState, Wire, fill};
use crate::Ended;
use crate::client::Failure;
use crate::scratch;

/// What a client has asked, and what has come of it.
pub(crate) struct Asking {
    phase: Phase,
    sent: Sent,
    /// Interim responses that nobody has taken yet. The core bounds their number.
    interims: VecDeque<InterimResponse>,
    wanted: Option<Continue>,
    trailers: Option<Fields>,
    /// How much output there had been in all when the request began.
    begins: u64,
    /// Why nothing can be written any more, while the response is still read.
    write_error: Option<Ended>,
}

/// How far the answer is.
pub(crate) enum Phase {
    /// No request is open.
    Idle(Client),
    /// A head is waited for.
    Waiting(client::Response),
    /// The answer to a WebSocket handshake is waited for.
    Upgrading(Handshake),
    /// The final head has come, and nobody has taken it.
    Head(Received),
    /// The head was taken, and the body is read.
    Body(ResponseBody),
    /// The connection has become a WebSocket, and nobody has taken it.
    Open(Option<Box<str>>, InterimResponse),
    /// No answer came.
    Failed(Failure),
    /// Nothing more is asked here.
    Over,
}

/// How far the request is.
pub(crate) enum Sent {
    /// Its body is still written.
    Open,
    /// Its body waits to be wanted.
    Withheld,
    /// It is whole.
    Finished(Finished),
    /// It has no body, and the proof comes with the answer; or it was cut off, and there is no proof.
    Nothing,
}

/// What answers an offer to become a WebSocket.
pub(crate) enum Answer {
    Open(Option<Box<str>>, InterimResponse),
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
            _ => None,
        }
    }

    pub(super) fn inbox(&mut self) -> Option<&mut Inbox> {
        match &mut self.phase {
            Phase::Idle(client) => Some(client.inbox()),
            Phase::Waiting(response) => Some(response.inbox()),
            Phase::Upgrading(handshake) => Some(handshake.inbox()),
            Phase::Head(received) => Some(received.body.inbox()),
            Phase::Body(body) => Some(body.inbox()),
            Phase::Open(..) | Phase::Failed(_) | Phase::Over => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Deadline> {
        match &self.phase {
            Phase::Idle(client) => client.deadline(),
            Phase::Waiting(response) => response.deadline(),
            Phase::Upgrading(handshake) => handshake.deadline(),
            Phase::Head(_) | Phase::Body(_) | Phase::Open(..) | Phase::Failed(_) | Phase::Over => None,
        }
    }

    /// The fields behind the body of the response, once it was read to its end.
    pub(crate) fn trailers(&self) -> Option<&Fields> {
        self.trailers.as_ref()
    }

    /// True if the connection has no request open, and had not ended when that was last looked at.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle(_))
    }

    /// True if the driver reads without being asked to: for a head, or for the end.
    fn waits(&self) -> bool {
        matches!(self.phase, Phase::Idle(_) | Phase::Waiting(_) | Phase::Upgrading(_))
    }

    /// The next interim response that nobody has taken. Ready, and none: there will be no further one.
    fn interim(&mut self) -> Poll<Option<InterimResponse>> {
        match (self.interims.pop_front(), &self.phase) {
            (None, Phase::Waiting(_)) => Poll::Pending,
            (next, _) => Poll::Ready(next),
        }
    }

    /// The connection has ended, after it had taken so much output in all. What has arrived is kept.
    pub(super) fn cut(&mut self, ended: &Ended, sent: u64) {
        let is_untouched = match &self.phase {
            Phase::Idle(_) => true,
            Phase::Waiting(response) => response.is_untouched(),
            Phase::Upgrading(handshake) => handshake.is_untouched(),
            Phase::Head(_) | Phase::Body(_) | Phase::Open(..) | Phase::Failed(_) | Phase::Over => return,
        };
        let is_idle = self.is_idle();
        self.phase = Phase::Failed(match ended {
            _ if is_idle || sent <= self.begins => Failure::NotSent(ended.clone()),
            Ended::ByPeer | Ended::Transport(_) | Ended::Cancelled if is_untouched => {
                Failure::Unanswered(ended.clone())
            }
            _ => Failure::Failed(ended.clone()),
        });
    }

    /// Whose turn it is: while the request is not out, the server's silence says nothing.
    fn pause(&mut self, out: &Outbox) {
        if out.is_empty() && !matches!(self.sent, Sent::Open) {
            return;
        }
        match &mut self.phase {
            Phase::Waiting(response) => response.pause(),
            Phase::Upgrading(handshake) => handshake.pause(),
            Phase::Idle(_)
            | Phase::Head(_)
            | Phase::Body(_)
            | Phase::Open(..)
            | Phase::Failed(_)
            | Phase::Over => {}
        }
    }

    /// Goes on with what has arrived. What it has become that the rest of the wire must know.
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
                settled => {
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

    /// True if a body that is withheld need wait no longer.
    pub(super) fn is_settled(&self) -> bool {
        match self {
            Self::Asking(asking) => asking.wanted.is_some() || !matches!(asking.phase, Phase::Waiting(_)),
            Self::Nothing | Self::Request(_) => true,
        }
    }
}

impl Wire {
    /// Begins a request. `None`: the connection has ended, and the answer says how.
    pub(crate) fn ask<R>(
        &mut self,
        write: impl FnOnce(Client, &mut Outbox) -> (Phase, Sent, R),
    ) -> Option<R> {
        self.look();
        let Self { http: Http::Asking(asking), out, .. } = self else { return None };
        let begins = out.sent().saturating_add(u64::try_from(out.len()).unwrap_or(u64::MAX));
        let right = match mem::replace(&mut asking.phase, Phase::Over) {
            Phase::Idle(client) => {
                let (phase, sent, right) = write(client, out);
                (asking.phase, asking.sent) = (phase, sent);
                asking.begins = begins;
                asking.trailers = None;
                Some(right)
            }
            other => {
                asking.phase = other;
                None
            }
        };
        self.leave_to_driver();
        right
    }

    /// Looks whether the server has left meanwhile, in the driver's name: what arrives later wakes the driver.
    fn look(&mut self) {
        let Self { http: Http::Asking(asking), transport, driver: Some(driver), ended: None, .. } = self
        else {
            return;
        };
        let Some(inbox) = asking.inbox() else { return };
        let looked = fill(transport, &mut Context::from_waker(driver), inbox);
        scratch::reclaim_room(inbox);
        let looked = match looked {
            Poll::Ready(Err(ended)) => Err(ended),
            Poll::Ready(Ok(())) | Poll::Pending => asking.advance().map(drop),
        };
        if let Err(ended) = looked {
            self.end(ended);
        }
    }

    /// True if a request can be sent, as far as is known.
    pub(crate) fn is_idle(&mut self) -> bool {
        self.look();
        self.http.asking().is_some_and(|asking| asking.is_idle())
    }

    /// The request is whole, or cut off.
    pub(crate) fn sent(&mut self, sent: Sent) {
        if let Some(asking) = self.http.asking() {
            asking.sent = sent;
        }
        self.wake_reader();
        self.leave_to_driver();
    }

    /// The server's wish for a body that is withheld.
    pub(crate) fn take_wanted(&mut self) -> Option<Continue> {
        let wanted = self.http.asking()?.wanted.take()?;
        self.sent(Sent::Open);
        Some(wanted)
    }

    /// Nothing can be written any more. A client goes on reading: the server may have answered before it stopped to
    /// read (RFC 9112 9.5).
    pub(super) fn write_failed(&mut self, ended: Ended) {
        let Self { http, out, .. } = self;
        let is_answered = match http.asking() {
            Some(asking) if out.sent() > asking.begins => match asking.phase {
                Phase::Waiting(_) | Phase::Upgrading(_) | Phase::Head(_) | Phase::Body(_) => {
                    asking.write_error.get_or_insert_with(|| ended.clone());
                    true
                }
                Phase::Idle(_) | Phase::Open(..) | Phase::Failed(_) | Phase::Over => false,
            },
            Some(_) | None => false,
        };
        if !is_answered {
            return self.end(ended);
        }
        let rest = self.out.len();
        self.out.advance(rest);
    }

    /// The driver's part of an exchange, and of the time without one: it reads until the head of the response has come.
    pub(super) fn poll_asking(&mut self, cx: &mut Context<'_>) {
        let Http::Asking(_) = self.http else { return };
        loop {
            if !self.advance_asking() {
                return;
            }
            let Self { http: Http::Asking(asking), transport, out, .. } = self else { return };
            let Some(inbox) = asking.inbox() else { return };
            match fill(transport, cx, inbox) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(ended)) => return self.end(ended),
                Poll::Pending => {
                    asking.pause(out);
                    self.advance_asking();
                    return;
                }
            }
        }
    }

    /// Goes on with what has arrived. True if a head, or the end, is still waited for.
    fn advance_asking(&mut self) -> bool {
        let Some(asking) = self.http.asking() else { return false };
        if !asking.waits() {
            return false;
        }
        let before = asking.interims.len();
        let advanced = asking.advance();
        let waits = asking.waits();
        let has_news = !waits || asking.interims.len() > before;
        match advanced {
            Ok(None) => {}
            Ok(Some(socket)) => self.socket = SocketState::Open(socket.session().into()),
            Err(ended) => self.end(ended),
        }
        if has_news {
            self.wake_reader();
        }
        waits
    }

    /// The next interim response; `None` when there will be no further one.
    pub(crate) fn poll_interim(&mut self, cx: &mut Context<'_>) -> Poll<Option<InterimResponse>> {
        let Some(asking) = self.http.asking() else { return Poll::Ready(None) };
        let polled = asking.interim();
        if polled.is_pending() {
            self.waiters.read(cx, &mut self.woken);
        }
        polled
    }

    /// The final head. Interim responses that nobody has taken are passed over.
    pub(crate) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<ResponseHead, Failure>> {
        match self.poll_answer(cx) {
            Poll::Ready(Ok(Answer::Refused(head))) => Poll::Ready(Ok(head)),
            Poll::Ready(Ok(Answer::Open(..))) | Poll::Pending => Poll::Pending,
            Poll::Ready(Err(failure)) => Poll::Ready(Err(failure)),
        }
    }

    /// The answer to a request, or to an offer.
    pub(crate) fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answer, Failure>> {
        let Some(asking) = self.http.asking() else { return Poll::Pending };
        let answer = match mem::replace(&mut asking.phase, Phase::Over) {
            Phase::Head(Received { head, body }) => {
                asking.phase = Phase::Body(body);
                asking.interims.clear();
                Ok(Answer::Refused(head))
            }
            Phase::Open(subprotocol, head) => {
                // It is another protocol's from here on, and ends with that.
                self.http = Http::Nothing;
                Ok(Answer::Open(subprotocol, head))
            }
            Phase::Failed(failure) => {
                asking.phase = Phase::Failed(failure.clone());
                Err(failure)
            }
            other => {
                asking.phase = other;
                self.waiters.read(cx, &mut self.woken);
                return Poll::Pending;
            }
        };
        self.waiters.stop_reading(&mut self.woken);
        Poll::Ready(answer)
    }

    /// What is to be read of a body, if that is known: behind a head that was taken.
    pub(crate) fn response_body(&mut self) -> Option<&ResponseBody> {
        self.http.asking()?.body().map(|body| &*body)
    }

    /// The next piece of the body of a response; `None` at its end. What has arrived is given out before a failure is.
    pub(crate) fn poll_response_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Ended>> {
        let polled = self.next_piece();
        match polled {
            Ok(None) => {
                if let Some(ended) = &self.ended {
                    return Poll::Ready(Err(ended.clone()));
                }
                self.waiters.read(cx, &mut self.woken);
                self.leave_to_driver();
                return Poll::Pending;
            }
            Ok(Some(_)) | Err(_) => {}
        }
        self.waiters.stop_reading(&mut self.woken);
        Poll::Ready(polled.map(Option::flatten))
    }

    /// `None`: nothing has arrived. `Some(None)`: the body has ended.
    fn next_piece(&mut self) -> Result<Option<Option<Bytes>>, Ended> {
        let Some(asking) = self.http.asking() else { return Ok(Some(None)) };
        let Phase::Body(body) = &mut asking.phase else { return Ok(Some(None)) };
        while let Some(ready) = body.poll()? {
            match body.event(ready) {
                Event::Data(data) => return Ok(Some(Some(data.take()))),
                Event::Trailers(fields) => asking.trailers = Some(fields),
                Event::End => return Ok(Some(None)),
            }
        }
        Ok(None)
    }

    /// Nobody waits for the body any more: the server's time does not run on.
    pub(crate) fn stop_reading_response(&mut self) {
        self.waiters.stop_reading(&mut self.woken);
        let now = self.now();
        if let Some(body) = self.http.body() {
            body.pause(now);
        }
    }

    /// Waits until the request is whole too. True: the connection can be used again. The body was read to its end.
    pub(crate) fn poll_again(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let Some(asking) = self.http.asking() else { return Poll::Ready(false) };
        let Phase::Body(body) = &asking.phase else { return Poll::Ready(false) };
        let is_lost = self.ended.is_some() || asking.write_error.is_some() || body.is_last();
        match (&asking.sent, is_lost) {
            (Sent::Open | Sent::Withheld, false) => {
                self.waiters.read(cx, &mut self.woken);
                return Poll::Pending;
            }
            (Sent::Finished(_) | Sent::Nothing, false) | (_, true) => {}
        }
        let sent = mem::replace(&mut asking.sent, Sent::Nothing);
        let phase = mem::replace(&mut asking.phase, Phase::Over);
        if let (Phase::Body(body), Sent::Finished(finished), false) = (phase, sent, is_lost) {
            if let Some(client) = body.after(finished) {
                asking.phase = Phase::Idle(client);
                self.leave_to_driver();
                return Poll::Ready(true);
            }
        }
        self.conclude(Outcome::Ended(Ended::Announced));
        Poll::Ready(false)
    }

    /// Nobody wants the connection any more.
    pub(crate) fn give_up(&mut self) {
        if let Some(asking) = self.http.asking() {
            asking.phase = Phase::Over;
            self.conclude(Outcome::Ended(Ended::GivenUp));
        }
    }
}
