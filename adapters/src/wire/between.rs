//! A server between two requests.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use endwell_core::http::server::{After, Answered, Exchange, Next, Server};
use endwell_core::http::{Response, StatusCode};

use super::look::{Looked, Waits};
use super::{Link, State, Wire};
use crate::{Ended, date};

impl Wire {
    /// Takes a server to its next request, or out of this state. Writes queued output before it waits, and before it takes
    /// more input while much output is queued.
    pub(super) fn poll_between(
        &mut self,
        link: &Arc<Link>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<crate::Exchange>> {
        loop {
            if self.work.is_used_up() {
                if let Poll::Ready(Err(ended)) = self.poll_write_out(cx) {
                    self.end(ended);
                    return Poll::Ready(None);
                }
                self.yield_turn();
                return Poll::Pending;
            }
            let server = match self.state.take() {
                State::Between(server) if self.ended.is_none() && !link.hub.is_cut() => server,
                other => {
                    self.state = other;
                    return Poll::Ready(None);
                }
            };
            match server.poll() {
                Next::Wait(server) => self.state = State::Between(server),
                Next::Request(head, exchange) => match self.open(link, exchange) {
                    Some(number) => {
                        return Poll::Ready(Some(crate::Exchange::new(Arc::clone(link), number, head)));
                    }
                    None => continue,
                },
                Next::Refused(refusal) => {
                    link.hub.counters.refused.add();
                    let ended = refusal.error().clone().into();
                    self.state = State::closing(refusal.answer(date::now().as_ref()), ended);
                }
                Next::Closing(closing) => {
                    let ended = Ended::of_http(closing.ended());
                    self.state = State::closing(closing, ended);
                }
            }
            if let Poll::Ready(Err(ended)) = self.poll_write_out(cx) {
                self.end(ended);
                return Poll::Ready(None);
            }
            if !matches!(self.state, State::Between(_)) {
                return Poll::Ready(None);
            }
            match self.poll_look(cx, Waits::Yes) {
                Poll::Ready(Ok(())) => continue,
                Poll::Ready(Err(ended)) => {
                    self.end(ended);
                    return Poll::Ready(None);
                }
                // It will be woken: what has arrived must be seen before the connection closes.
                Poll::Pending if self.looked == Looked::Late => return Poll::Pending,
                Poll::Pending => {}
            }
            if (link.hub.is_draining() && self.stop()) || self.heed(link, cx) {
                return Poll::Ready(None);
            }
            ready!(self.poll_deadline(cx, []));
            self.looked = Looked::No;
        }
    }

    /// Begins an exchange, unless the connections together hold too much. Returns its number.
    fn open(&mut self, link: &Link, mut exchange: Exchange) -> Option<u64> {
        if link.hub.is_overloaded() {
            link.hub.counters.overloaded.add();
            let head = Response::new(StatusCode::SERVICE_UNAVAILABLE);
            exchange.last();
            let answered = exchange.respond(&head, Bytes::new(), date::now().as_ref());
            self.after(answered, Ended::Announced);
            return None;
        }
        link.hub.counters.exchanges.add();
        exchange.io().set_output_pace(None);
        self.state = State::Open(exchange);
        self.trailers = None;
        self.request = super::body::Request::Unread;
        self.fallback = StatusCode::INTERNAL_SERVER_ERROR;
        self.number += 1;
        let now = self.clock();
        self.work.begin_exchange(now);
        self.life.begin(&link.hub.life, now);
        Some(self.number)
    }

    /// Goes on after an exchange. `ended` is told if the connection closes.
    pub(super) fn after(&mut self, answered: Exchange<Answered>, ended: Ended) {
        self.state = match answered.next() {
            After::Again(server) => State::Between(server),
            After::Closing(closing) => State::closing(closing, ended),
        };
    }

    /// Closes, since the server stops, if no request has begun to arrive.
    fn stop(&mut self) -> bool {
        match self.state.take() {
            State::Between(server) if server.is_idle() => {
                self.state = State::closing(Server::close(server), Ended::Shutdown);
                true
            }
            other => {
                self.state = other;
                false
            }
        }
    }
}
