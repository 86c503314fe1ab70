//! A server between two requests.

use std::sync::Arc;
use std::task::Context;

use bytes::Bytes;
use endwell_core::http::server::{After, Answered, Exchange, Next, ServerConnection};
use endwell_core::http::{RequestHead, Response, StatusCode};

use super::observed::Unhandled;
use super::respond::HeldBy;
use super::shed::Told;
use crate::connection::{Beside, Connection, Link, State};
use crate::{Ended, date};

impl Connection {
    /// Takes the next request, if one has arrived, and leaves this state if none can come.
    pub(crate) fn next_request(&mut self, link: &Arc<Link>, cx: &mut Context<'_>) -> Option<crate::Exchange> {
        while !self.work.is_used_up() {
            let server = match self.state.take() {
                State::Between(server) => server,
                other => {
                    self.state = other;
                    return None;
                }
            };
            match server.poll() {
                Next::Wait(server) => {
                    self.state = State::Between(server);
                    return None;
                }
                Next::Request(head, exchange) => {
                    if link.shared.is_overloaded() {
                        self.refuse(link, head, exchange);
                        continue;
                    }
                    let number = self.open(link, exchange);
                    let exchange = crate::Exchange::new(Arc::clone(link), number, head);
                    if link.shared.settings.observes() {
                        let now = self.now;
                        self.observed.begin(number, exchange.head(), link, now);
                    }
                    while self.lacks_body() && self.read(cx, Beside::Handler) {}
                    return Some(exchange);
                }
                Next::Refused(refusal) => {
                    link.shared.counters.refused.add();
                    let ended = Ended::of_error(refusal.error().clone());
                    let unhandled = link.shared.settings.observes().then(|| Unhandled {
                        head: refusal.head(),
                        status: refusal.status().as_u16(),
                        content: refusal.content_length(),
                        cause: ended.clone(),
                    });
                    self.state = State::closing(refusal.answer(date::now().as_ref()), ended);
                    self.observe_unhandled(unhandled);
                }
                Next::Closing(closing) => {
                    let ended = Ended::of_http(closing.ended());
                    self.state = State::closing(closing, ended);
                }
            }
        }
        None
    }

    /// True if nothing is there to be taken or to be written.
    pub(crate) fn awaits_request(&mut self) -> bool {
        let State::Between(server) = &mut self.state else { return false };
        let io = server.io();
        self.unflushed == 0 && io.queued() == 0 && io.unread() == 0
    }

    /// True if the body of the request has not arrived whole. Whether it has decides how the response is sent.
    pub(crate) fn lacks_body(&mut self) -> bool {
        matches!(self.state, State::Open(_)) && self.state.rest_of_request() != Some(0)
    }

    /// Answers an exchange in the place of a handler: the connections together hold too much.
    #[cold]
    fn refuse(&mut self, link: &Link, request: RequestHead, mut exchange: Exchange) {
        link.shared.counters.overloaded.add();
        let head = Response::new(StatusCode::SERVICE_UNAVAILABLE);
        exchange.last();
        let answered = exchange.respond(&head, Bytes::new(), date::now().as_ref());
        self.after(answered, Ended::ANNOUNCED);
        self.observe_unhandled(link.shared.settings.observes().then(|| Unhandled {
            head: Some(request),
            status: head.status().as_u16(),
            content: 0,
            cause: Ended::limit(link.shared.exceeded(Told::Shed)),
        }));
    }

    /// Begins an exchange. Returns its number.
    fn open(&mut self, link: &Link, mut exchange: Exchange) -> u64 {
        link.shared.counters.exchanges.add();
        exchange.io().set_output_pace(None);
        self.state = State::Open(exchange);
        self.trailers = None;
        self.request = super::Request::Unread;
        self.fallback = None;
        self.held_by = HeldBy::Handler;
        self.number += 1;
        let now = self.now;
        self.work.begin_exchange(now);
        self.life.begin(&link.shared.settings.life, now);
        self.number
    }

    /// Goes on after an exchange. `ended` is told if the connection closes.
    pub(crate) fn after(&mut self, mut answered: Exchange<Answered>, ended: Ended) {
        if self.observed.is_some() {
            self.observed.end_request(answered.body().received());
        }
        self.state = match answered.next() {
            After::Again(server) => State::Between(server),
            After::Closing(closing) => State::closing(closing, ended),
        };
        self.observe_output();
    }

    /// Closes, since the server stops, if no request has begun to arrive. True if it did.
    pub(crate) fn stop(&mut self) -> bool {
        match self.state.take() {
            State::Between(server) if server.is_idle() => {
                self.state = State::closing(ServerConnection::close(server), Ended::SHUTDOWN);
                true
            }
            other => {
                self.state = other;
                false
            }
        }
    }
}
