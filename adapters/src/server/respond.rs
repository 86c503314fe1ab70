//! The rights of an exchange.

use std::sync::Arc;

use bytes::Bytes;
use endwell_core::http::server::{Answered, Exchange, NotSwitched};
use endwell_core::http::{Date, FieldSection, Fields, Framing, Interim, Response, StatusCode, Streaming};
use endwell_core::ws::{Acceptance, NotAHandshake};
use endwell_core::{Bound, Exceeded, Limit, Pace, Upgraded};

use super::handler_error;
use super::report::{HandlerEnd, MessageCounts};
use super::request::Request;
use crate::connection::{Connection, Last, Link, State};
use crate::ws::Position;
use crate::{Ended, EndedKind, date};

impl Connection {
    /// True while exchange `number` is not answered completely.
    fn has(&self, number: u64) -> bool {
        self.number == number && self.state.is_exchange()
    }

    /// Takes an exchange that is not answered.
    fn take_open(&mut self, number: u64) -> Option<Exchange> {
        match self.state.take() {
            State::Open(exchange) if self.number == number => Some(exchange),
            other => {
                self.state = other;
                None
            }
        }
    }

    /// Sends an interim response.
    pub(crate) fn interim(&mut self, number: u64, head: &Interim) {
        if let (State::Open(exchange), true) = (&mut self.state, self.number == number) {
            exchange.interim(head);
            self.leave_to_driver();
        }
    }

    /// Responds with a body that is available.
    pub(crate) fn respond(&mut self, link: &Link, number: u64, head: &Response, body: Bytes) {
        if let Some(mut exchange) = self.take_open(number) {
            close_if_draining(link, &mut exchange);
            let answered = self.write_response(exchange, head, body);
            self.answered(answered, Ended::ANNOUNCED);
        }
    }

    /// Queues a response with a body that is available.
    pub(crate) fn write_response(
        &mut self,
        exchange: Exchange,
        head: &Response,
        body: Bytes,
    ) -> Exchange<Answered> {
        if !self.observed.is_some() {
            return exchange.respond(head, body, date::now().as_ref());
        }
        let content = if exchange.has_response_content(head) { body.len() } else { 0 };
        let status = exchange.status_of(head).as_u16();
        let mut answered = exchange.respond(head, body, date::now().as_ref());
        let position = Position::of(&answered.io());
        self.observe_response(status, content, position);
        answered
    }

    /// Makes the response the last one of the connection.
    #[cfg(feature = "tower")]
    pub(crate) fn make_last(&mut self, number: u64) {
        if let (State::Open(exchange), true) = (&mut self.state, self.number == number) {
            exchange.last();
        }
    }

    /// The body of an exchange that is not answered has a reader of its own.
    pub(crate) fn separate_body(&mut self, number: u64) {
        if self.number == number && self.request == Request::Unread {
            self.request = Request::Read;
        }
    }

    /// Starts a response whose body is written in pieces. If something reads the body of the request, asks for it, in case
    /// the client waits for that.
    pub(crate) fn start(&mut self, link: &Link, number: u64, head: &Response, framing: Framing) {
        if let Some(mut exchange) = self.take_open(number) {
            if self.request == Request::Read && exchange.io().unread() == 0 {
                exchange.proceed();
            }
            close_if_draining(link, &mut exchange);
            let status = exchange.status_of(head);
            self.state = State::Writing(exchange.start(head, framing, date::now().as_ref()));
            if self.observed.is_some() {
                let position = self.position();
                self.observe_response(status.as_u16(), 0, position);
            }
            self.leave_to_driver();
        }
    }

    /// Ends the body of a response.
    pub(crate) fn finish(&mut self, link: &Link, trailers: Option<&FieldSection>) -> Result<(), Ended> {
        let exchange = match self.state.take() {
            State::Writing(exchange) if self.ended.is_none() => exchange,
            other => {
                self.state = other;
                return Err(self.ended().cloned().unwrap_or(Ended::ABORTED));
            }
        };
        match exchange.finish(trailers) {
            Ok(answered) => {
                self.answered(answered, Ended::ANNOUNCED);
                Ok(())
            }
            Err(exchange) => {
                self.cut(link, exchange);
                Err(Ended::ABORTED)
            }
        }
    }

    /// Cuts a response off.
    pub(crate) fn abort(&mut self, link: &Link) {
        match self.state.take() {
            State::Writing(exchange) => self.cut(link, exchange),
            other => self.state = other,
        }
    }

    /// A client whose request broke off has caused it itself.
    fn cut(&mut self, link: &Link, mut exchange: Exchange<Streaming>) {
        self.observed.end_request(exchange.body().received());
        let cause = self.fallback.as_ref().and_then(|fallback| fallback.cause.clone());
        if cause.is_none() && self.ended.is_none() {
            link.shared.counters.aborted.add();
        }
        self.state = State::closing(exchange.abort(), cause.unwrap_or(Ended::ABORTED));
        self.wake_reader();
        self.leave_to_driver();
    }

    /// The right to respond was dropped. The driver responds, or the end of the handler does.
    pub(crate) fn drop_exchange(&mut self, number: u64) {
        if self.number == number && matches!(self.state, State::Open(_)) {
            self.held_by = match self.held_by {
                HeldBy::Thread => HeldBy::NothingYet,
                HeldBy::Handler | HeldBy::Nothing | HeldBy::NothingYet => HeldBy::Nothing,
            };
            self.leave_to_driver();
        }
    }

    /// The handler may still say what to answer after it has dropped the right to: it runs in another thread.
    #[cfg(feature = "blocking")]
    pub(crate) fn answer_late(&mut self) {
        self.held_by = HeldBy::Thread;
    }

    /// The handler has ended. Answers in its place if it has dropped the right to.
    pub(crate) fn conclude(&mut self, link: &Link, outcome: HandlerEnd) {
        let outcome = match outcome {
            // This connection goes on: it is the end of another one, such as that of a proxy's other side.
            HandlerEnd::Ended(ended)
                if self.held_by.is_dropped() && self.ended.is_none() && self.fallback.is_none() =>
            {
                HandlerEnd::Failed(Arc::new(ended))
            }
            other => other,
        };
        match &outcome {
            HandlerEnd::Failed(error) => {
                let is_clients = match &self.fallback {
                    Some(fallback) => fallback.cause.is_some(),
                    None => self.ended.is_some() && handler_error::is_of_connection(&**error),
                };
                if !is_clients {
                    link.shared.counters.failed.add();
                }
                if self.held_by.is_dropped() {
                    self.answer_failed(link, handler_error::response(&**error));
                } else if let State::Closing(Last { ended: Some(ended), .. }) = &mut self.state {
                    if let EndedKind::Aborted = ended.kind() {
                        **ended = Ended::failed(Arc::clone(error));
                    }
                }
            }
            HandlerEnd::Panicked => link.shared.counters.panicked.add(),
            HandlerEnd::Answered | HandlerEnd::Ended(_) | HandlerEnd::Cancelled => {}
        }
        if self.held_by.is_dropped() {
            self.answer_dropped(link);
        }
        self.observed.end_handler(&outcome);
    }

    /// Answers for a handler that has failed, and goes on: nothing of this connection is in doubt.
    fn answer_failed(&mut self, link: &Link, response: Option<(Response, Bytes)>) {
        if response.is_none() && self.fallback.is_some() {
            return self.answer_dropped(link);
        }
        self.held_by = HeldBy::Handler;
        if self.ended.is_none() {
            let (head, body) = response.unwrap_or((StatusCode::INTERNAL_SERVER_ERROR.into(), Bytes::new()));
            self.respond(link, self.number, &head, body);
        }
    }

    /// Answers in the place of a right that was dropped.
    pub(crate) fn answer_dropped(&mut self, link: &Link) {
        self.held_by = HeldBy::Handler;
        let Some(mut exchange) = self.take_open(self.number) else { return };
        if self.fallback.is_none() {
            link.shared.counters.unanswered.add();
        }
        let Fallback { status, cause } =
            self.fallback.take().map_or_else(Fallback::default, |fallback| *fallback);
        let ended = cause.unwrap_or(Ended::UNANSWERED);
        exchange.last();
        self.observed.because(&ended);
        let answered = self.write_response(exchange, &Response::new(status), Bytes::new());
        self.answered(answered, ended);
    }

    /// The exchange is answered. If something still reads its body, the next one waits for that.
    fn answered(&mut self, mut answered: Exchange<Answered>, ended: Ended) {
        if answered.body().remaining() == Some(0) {
            self.request = Request::Done;
        }
        if self.request == Request::Read {
            self.state = State::Answered(answered);
        } else {
            self.after(answered, ended);
        }
        self.observe_answer();
        self.wake_reader();
        self.leave_to_driver();
    }

    /// Hands the connection to another protocol.
    pub(crate) fn release(
        &mut self,
        number: u64,
        status: u16,
        switch: impl FnOnce(Exchange, Option<&Date>) -> Result<Upgraded, (NotSwitched, Exchange)>,
    ) -> Result<(), NotSwitched> {
        let Some(exchange) = self.take_open(number) else { return Err(NotSwitched::Content) };
        match switch(exchange, date::now().as_ref()) {
            Ok(upgraded) => {
                self.state = State::Raw(Some(upgraded));
                self.observe_upgrade(status, None);
                self.life.unbind();
                self.leave_to_driver();
                Ok(())
            }
            Err((reason, exchange)) => {
                self.state = State::Open(exchange);
                Err(reason)
            }
        }
    }

    /// Turns an exchange into a WebSocket. Returns its subprotocol.
    pub(crate) fn accept(
        &mut self,
        number: u64,
        acceptance: Acceptance,
    ) -> Result<Option<Box<str>>, NotAHandshake> {
        let Some(exchange) = self.take_open(number) else { return Err(NotAHandshake::Content) };
        match exchange.accept(acceptance, date::now().as_ref()) {
            Ok(socket) => {
                let subprotocol = socket.subprotocol().map(Box::from);
                self.state = State::Socket(socket);
                self.observe_upgrade(SWITCHING_PROTOCOLS, Some(MessageCounts::default()));
                self.life.unbind();
                self.leave_to_driver();
                Ok(subprotocol)
            }
            Err((reason, exchange)) => {
                self.state = State::Open(exchange);
                Err(reason)
            }
        }
    }

    /// Nothing reads the body of exchange `number` any more.
    pub(crate) fn drop_body(&mut self, number: u64) {
        if self.number == number && self.request == Request::Read {
            self.request = Request::Unread;
            self.end_body();
        }
    }

    /// Goes on after an exchange that is answered, since nothing reads its body any more.
    pub(crate) fn end_body(&mut self) {
        match self.state.take() {
            State::Answered(answered) => {
                self.after(answered, Ended::ANNOUNCED);
                self.leave_to_driver();
            }
            other => self.state = other,
        }
    }

    /// Sets the pace of the body of exchange `number`.
    pub(crate) fn set_request_pace(&mut self, number: u64, pace: Pace) {
        if self.number == number && self.state.has_body() {
            self.set_body_pace(pace);
        }
    }

    /// Sets the pace at which the client must take the response.
    pub(crate) fn set_response_pace(&mut self, number: u64, pace: Pace) {
        if self.has(number) {
            self.set_output_pace(pace);
        }
    }

    /// The fields after the body of exchange `number`.
    pub(crate) fn request_trailers(&self, number: u64) -> Option<Fields> {
        if self.number == number { self.trailers.as_deref().cloned() } else { None }
    }

    /// The bytes of an exchange's body still to come, if known.
    pub(crate) fn rest_of_body(&mut self, number: u64) -> Option<u64> {
        if self.number == number { self.state.rest_of_request() } else { None }
    }

    /// True if the body of an exchange was received to its end, and has no trailers.
    #[cfg(feature = "http-body")]
    pub(crate) fn is_at_end_of_body(&mut self, number: u64) -> bool {
        if self.number != number {
            return true;
        }
        self.trailers.is_none() && (self.request == Request::Done || self.state.is_request_done())
    }

    /// Notes that a body is larger than a handler accepts.
    pub(crate) fn too_large(&mut self, bound: usize) -> Ended {
        let bound = Bound::Bytes(u64::try_from(bound).unwrap_or(u64::MAX));
        let ended = Ended::limit(Exceeded { limit: Limit::BodyBytes, bound });
        self.fallback = Some(Fallback::new(StatusCode::CONTENT_TOO_LARGE, Some(ended.clone())).into());
        ended
    }
}

/// What is answered in the place of a right that was dropped, because something had happened before.
pub(crate) struct Fallback {
    status: StatusCode,
    /// What the client did. `None`: the handler took too long.
    cause: Option<Ended>,
}

/// Where the right to respond is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeldBy {
    /// The handler has it, or what it was passed to, or it was used.
    Handler,
    /// The same, in another thread: the right may be dropped there before the handler has said what to answer.
    #[cfg_attr(
        not(feature = "blocking"),
        expect(dead_code, reason = "handlers in threads are blocking ones")
    )]
    Thread,
    /// It was dropped, and nothing is answered yet.
    Nothing,
    /// It was dropped in another thread, and the handler may still say what to answer.
    NothingYet,
}

impl HeldBy {
    fn is_dropped(self) -> bool {
        matches!(self, Self::Nothing | Self::NothingYet)
    }
}

impl Fallback {
    pub(crate) fn new(status: StatusCode, cause: Option<Ended>) -> Self {
        Self { status, cause }
    }
}

impl Default for Fallback {
    fn default() -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, cause: None }
    }
}

/// The status of a handshake, which is not a final one.
pub(crate) const SWITCHING_PROTOCOLS: u16 = 101;

/// Makes every response of a server that stops the last one of its connection.
fn close_if_draining(link: &Link, exchange: &mut Exchange) {
    if link.shared.is_draining() {
        exchange.last();
    }
}
