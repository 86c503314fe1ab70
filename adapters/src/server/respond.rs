//! The rights of an exchange.

use bytes::Bytes;

use endwell_core::http::server::{Answered, Exchange, NotSwitched};
use endwell_core::http::{Date, FieldSection, Fields, Framing, Interim, Response, StatusCode};
use endwell_core::ws::{Acceptance, NotAHandshake};
use endwell_core::{Bound, Closing, Exceeded, Limit, Pace, Upgraded};

use super::request::Request;
use crate::connection::{Connection, Link, State};
use crate::{Ended, date};

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
            let answered = exchange.respond(head, body, date::now().as_ref());
            self.answered(answered, Ended::Announced);
        }
    }

    /// Starts a response whose body is written in pieces. Asks for the body of the request, if the client waits for that.
    pub(crate) fn start(&mut self, link: &Link, number: u64, head: &Response, framing: Framing) {
        if let Some(mut exchange) = self.take_open(number) {
            if exchange.io().unread() == 0 {
                exchange.proceed();
            }
            close_if_draining(link, &mut exchange);
            self.state = State::Writing(exchange.start(head, framing, date::now().as_ref()));
            if self.request == Request::Unread {
                self.request = Request::Read;
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
                return Err(self.ended().cloned().unwrap_or(Ended::Aborted));
            }
        };
        match exchange.finish(trailers) {
            Ok(answered) => {
                self.answered(answered, Ended::Announced);
                Ok(())
            }
            Err(exchange) => {
                self.cut(link, exchange.abort());
                Err(Ended::Aborted)
            }
        }
    }

    /// Cuts a response off.
    pub(crate) fn abort(&mut self, link: &Link) {
        match self.state.take() {
            State::Writing(exchange) => self.cut(link, exchange.abort()),
            other => self.state = other,
        }
    }

    fn cut(&mut self, link: &Link, closing: Closing) {
        link.shared.counters.aborted.add();
        self.state = State::closing(closing, Ended::Aborted);
        self.wake_reader();
        self.leave_to_driver();
    }

    /// Answers in the place of a right that was dropped.
    pub(crate) fn drop_exchange(&mut self, link: &Link, number: u64) {
        if let Some(mut exchange) = self.take_open(number) {
            link.shared.counters.unanswered.add();
            exchange.last();
            let head = Response::new(self.fallback);
            let answered = exchange.respond(&head, Bytes::new(), date::now().as_ref());
            self.answered(answered, Ended::Unanswered);
        }
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
        self.wake_reader();
        self.leave_to_driver();
    }

    /// Hands the connection to another protocol.
    pub(crate) fn release(
        &mut self,
        number: u64,
        switch: impl FnOnce(Exchange, Option<&Date>) -> Result<Upgraded, (NotSwitched, Exchange)>,
    ) -> Result<(), NotSwitched> {
        let Some(exchange) = self.take_open(number) else { return Err(NotSwitched::Content) };
        match switch(exchange, date::now().as_ref()) {
            Ok(upgraded) => {
                self.state = State::Raw(Some(upgraded));
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
                self.after(answered, Ended::Announced);
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
        if self.has(number) { self.state.rest_of_request() } else { None }
    }

    /// Notes that a body is larger than a handler accepts.
    pub(crate) fn too_large(&mut self, bound: usize) -> Ended {
        self.fallback = StatusCode::CONTENT_TOO_LARGE;
        let bound = Bound::Bytes(u64::try_from(bound).unwrap_or(u64::MAX));
        Ended::Limit(Exceeded { limit: Limit::BodyBytes, bound })
    }
}

/// Makes every response of a server that stops the last one of its connection.
fn close_if_draining(link: &Link, exchange: &mut Exchange) {
    if link.shared.is_draining() {
        exchange.last();
    }
}
