//! The operations of the rights of a client's connection.

use std::mem;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use endwell_core::Exceeded;
use endwell_core::http::client::ClientConnection;
use endwell_core::http::{FieldSection, InterimHead};

use super::calling::Part;
use super::{Answer, Asking, Calling, Phase};
use crate::Ended;
use crate::client::RequestError;
use crate::connection::{Connection, State};

impl Connection {
    /// Begins a request. Returns its number; `None` if the connection has ended, and the response reports how.
    pub(crate) fn ask(&mut self, write: impl FnOnce(ClientConnection) -> Phase) -> Option<u64> {
        self.look();
        let begins = self.position().written;
        let State::Client(asking) = &mut self.state else { return None };
        match mem::replace(&mut asking.phase, Phase::Over) {
            Phase::Idle(mut client) => {
                client.io().set_output_pace(None);
                asking.phase = write(client);
                asking.begins = begins;
                asking.is_wanted = false;
                asking.trailers = None;
            }
            other => {
                asking.phase = other;
                return None;
            }
        }
        self.number += 1;
        self.leave_to_driver();
        Some(self.number)
    }

    /// True if a request can be sent, as far as is known.
    pub(crate) fn is_idle(&mut self) -> bool {
        self.look();
        self.state.asking().is_some_and(|asking| asking.is_idle()) && !self.has_unseen()
    }

    /// Request `number` goes on with another right.
    fn change(&mut self, number: u64, change: impl FnOnce(Calling) -> Calling) {
        if self.number != number {
            return;
        }
        if let Some(asking) = self.state.asking() {
            asking.change(change);
        }
        self.wake_reader();
        self.leave_to_driver();
    }

    /// Ends the body of request `number`.
    pub(crate) fn finish_request(
        &mut self,
        number: u64,
        trailers: Option<&FieldSection>,
    ) -> Result<(), Ended> {
        // Discarded data is missing: an end after it would make the rest look complete.
        if let Some(ended) = self.write_error().cloned() {
            self.cut_request_off(number);
            return Err(ended);
        }
        self.change(number, |call| call.finish(trailers));
        match self.state.asking().and_then(Asking::call) {
            Some(Calling::Sent(_)) => Ok(()),
            _ => Err(Ended::ABORTED),
        }
    }

    /// Writes no more of the body of request `number`.
    pub(crate) fn cut_request_off(&mut self, number: u64) {
        self.change(number, Calling::stop);
    }

    /// Takes the right to write the withheld body of request `number`, if the server wants it.
    pub(crate) fn take_wanted(&mut self, number: u64) -> bool {
        let is_wanted = self.state.asking().is_some_and(|asking| mem::take(&mut asking.is_wanted));
        self.change(number, |call| if is_wanted { call.proceed() } else { call.stop() });
        is_wanted
    }

    /// Waits for the next interim response; `None` if no further one will come.
    pub(crate) fn poll_interim(&mut self, cx: &mut Context<'_>) -> Poll<Option<InterimHead>> {
        let Some(asking) = self.state.asking() else { return Poll::Ready(None) };
        let polled = asking.interim();
        if polled.is_pending() {
            self.await_input(cx);
        }
        polled
    }

    /// Waits for the answer to a request, to an offer, or to a CONNECT. Skips interim responses that were not taken.
    pub(crate) fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answer, RequestError>> {
        let Some(asking) = self.state.asking() else { return Poll::Pending };
        let answer = match mem::replace(&mut asking.phase, Phase::Over) {
            Phase::Head(mut call) => {
                let head = call.take_head();
                asking.phase = Phase::Body(call);
                asking.interims.clear();
                // It arrived, and is taken once.
                let Some(head) = head else { return Poll::Pending };
                Ok(Answer::Response(head))
            }
            Phase::Opened(socket, head) => {
                // The connection belongs to another protocol from here on, and ends with it.
                let subprotocol = socket.subprotocol().map(Box::from);
                self.state = State::Socket(socket);
                self.leave_to_driver();
                Ok(Answer::Open(subprotocol, *head))
            }
            Phase::Through(upgraded, head) => {
                self.state = State::Raw(Some(upgraded));
                self.leave_to_driver();
                Ok(Answer::Through(head))
            }
            Phase::Failed(failure) => {
                asking.phase = Phase::Failed(failure.clone());
                Err(failure)
            }
            other => {
                asking.phase = other;
                self.await_input(cx);
                return Poll::Pending;
            }
        };
        self.waiters.stop_reading(&mut self.woken);
        Poll::Ready(answer)
    }

    /// The head has not come in the time for the request and its response.
    pub(crate) fn is_late(&mut self, exceeded: Exceeded) -> RequestError {
        let sent = self.position().sent;
        let ended = Ended::limit(exceeded);
        match self.state.asking() {
            Some(asking) if sent <= asking.begins => RequestError::NotSent(ended),
            Some(asking) if asking.is_untouched() => RequestError::Unanswered(ended),
            _ => RequestError::Failed(ended),
        }
    }

    /// The request whose response is being read.
    pub(crate) fn responding(&mut self) -> Option<&mut Calling> {
        match self.state.asking().map(|asking| &mut asking.phase) {
            Some(Phase::Body(call)) => Some(call),
            _ => None,
        }
    }

    /// Reads the next piece of the body of a response; `None` at its end. What has arrived is returned before a
    /// failure.
    pub(crate) fn poll_response_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Ended>> {
        let mut polled = self.next_piece();
        if let (Poll::Pending, Some(ended)) = (&polled, self.ended.as_deref()) {
            polled = Poll::Ready(Err(ended.clone()));
        }
        if polled.is_pending() {
            let is_new = self.await_input(cx);
            self.wait_for_driver(is_new);
        } else {
            self.waiters.stop_reading(&mut self.woken);
        }
        polled
    }

    /// The next piece that has arrived.
    fn next_piece(&mut self) -> Poll<Result<Option<Bytes>, Ended>> {
        let Some(asking) = self.state.asking() else { return Poll::Ready(Ok(None)) };
        let Phase::Body(call) = &mut asking.phase else { return Poll::Ready(Ok(None)) };
        loop {
            match call.part() {
                Some(Part::Data(data)) => return Poll::Ready(Ok(Some(data))),
                Some(Part::Trailers(fields)) => asking.trailers = Some(fields),
                Some(Part::End) => return Poll::Ready(Ok(None)),
                Some(Part::Failed(ended)) => return Poll::Ready(Err(ended)),
                None => return Poll::Pending,
            }
        }
    }

    /// Pauses the server's time, since the caller no longer waits for the body.
    pub(crate) fn stop_reading_response(&mut self) {
        self.stop_waiting();
    }

    /// Waits until the request is complete too. The body was read to its end. True if the connection can be used again.
    pub(crate) fn poll_again(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let has_ended = self.ended.is_some();
        let position = self.position();
        let Some(asking) = self.state.asking() else { return Poll::Ready(false) };
        let Phase::Body(call) = &asking.phase else { return Poll::Ready(false) };
        // The final response has arrived: a body that the server has not asked for by now will not be asked for.
        let is_unasked = matches!(call, Calling::Withheld(_)) && !asking.is_wanted;
        let is_lost = has_ended || asking.write_error.is_some() || is_unasked || call.is_last();
        if call.is_open() && !is_lost {
            self.await_input(cx);
            return Poll::Pending;
        }
        if let (Phase::Body(call), false) = (mem::replace(&mut asking.phase, Phase::Over), is_lost) {
            if let Some(client) = call.next() {
                asking.phase = Phase::Idle(client);
                self.leave_to_driver();
                return Poll::Ready(true);
            }
        }
        self.is_over(Ended::ANNOUNCED, position);
        Poll::Ready(false)
    }

    /// Skips the rest of the exchange, as far as it has arrived, since it is no longer needed. True if no request is
    /// open.
    pub(crate) fn comes_to_rest(&mut self) -> bool {
        while let Poll::Ready(Ok(Some(_))) = self.next_piece() {}
        let is_complete = matches!(self.responding(), Some(Calling::Sent(_)));
        if is_complete && self.responding().is_some_and(Calling::is_done) {
            let _ = self.poll_again(&mut Context::from_waker(Waker::noop()));
        }
        self.state.asking().is_some_and(|asking| asking.is_idle())
    }

    /// Sets the time for the head of the response.
    pub(crate) fn set_response_time(&mut self, time: Option<Duration>) {
        if let Some(asking) = self.state.asking() {
            asking.set_response_time(time);
            self.leave_to_driver();
        }
    }

    /// Gives the connection up.
    pub(crate) fn give_up(&mut self) {
        if let State::Client(_) = self.state {
            let position = self.position();
            if !self.is_flushed() {
                self.reset();
            }
            self.is_over(Ended::GIVEN_UP, position);
        }
    }
}
