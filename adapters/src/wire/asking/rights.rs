//! The operations of the rights of a client's connection.

use std::mem;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use endwell_core::Outbox;
use endwell_core::http::client::{Client, Continue, Received, ResponseBody};
use endwell_core::http::{Event, InterimResponse, ResponseHead};

use super::super::{Http, Outcome, Wire};
use super::{Answer, Phase, Sent};
use crate::Ended;
use crate::client::Failure;

impl Wire {
    /// Begins a request. `None` if the connection has ended, and the response reports how.
    pub(crate) fn ask<R>(
        &mut self,
        write: impl FnOnce(Client, &mut Outbox) -> (Phase, Sent, R),
    ) -> Option<R> {
        self.look();
        let Self { http: Http::Asking(asking), out, .. } = self else { return None };
        let begins = out.sent().saturating_add(u64::try_from(out.len()).unwrap_or(u64::MAX));
        let right = match mem::replace(&mut asking.phase, Phase::Over) {
            Phase::Idle(client) => {
                out.set_pace(None);
                let (phase, sent, right) = write(client, out);
                (asking.phase, asking.sent) = (phase, sent);
                asking.begins = begins;
                asking.trailers = None;
                Some(right)
            }
            other @ (Phase::Waiting(_)
            | Phase::Upgrading(_)
            | Phase::Tunnelling(_)
            | Phase::Head(_)
            | Phase::Body(_)
            | Phase::Open(..)
            | Phase::Through(..)
            | Phase::Failed(_)
            | Phase::Over) => {
                asking.phase = other;
                None
            }
        };
        self.leave_to_driver();
        right
    }

    /// True if a request can be sent, as far as is known.
    pub(crate) fn is_idle(&mut self) -> bool {
        self.look();
        self.http.asking().is_some_and(|asking| asking.is_idle()) && !self.transport.has_unseen()
    }

    /// Notes that the request is complete, or cut off.
    pub(crate) fn sent(&mut self, sent: Sent) {
        if let Some(asking) = self.http.asking() {
            asking.sent = sent;
        }
        self.wake_reader();
        self.leave_to_driver();
    }

    /// Takes the server's request for a withheld body.
    pub(crate) fn take_wanted(&mut self) -> Option<Continue> {
        let wanted = self.http.asking()?.wanted.take()?;
        self.sent(Sent::Open);
        Some(wanted)
    }

    /// Waits for the next interim response; `None` if no further one will come.
    pub(crate) fn poll_interim(&mut self, cx: &mut Context<'_>) -> Poll<Option<InterimResponse>> {
        let Some(asking) = self.http.asking() else { return Poll::Ready(None) };
        let polled = asking.interim();
        if polled.is_pending() {
            self.waiters.read(cx, &mut self.woken);
        }
        polled
    }

    /// Waits for the final head. Skips interim responses that were not taken.
    pub(crate) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<ResponseHead, Failure>> {
        match self.poll_answer(cx) {
            Poll::Ready(Ok(Answer::Refused(head))) => Poll::Ready(Ok(head)),
            Poll::Ready(Ok(Answer::Open(..) | Answer::Through(..))) | Poll::Pending => Poll::Pending,
            Poll::Ready(Err(failure)) => Poll::Ready(Err(failure)),
        }
    }

    /// Waits for the response to a request, to an offer, or to a CONNECT.
    pub(crate) fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answer, Failure>> {
        let Some(asking) = self.http.asking() else { return Poll::Pending };
        let answer = match mem::replace(&mut asking.phase, Phase::Over) {
            Phase::Head(Received { head, body }) => {
                asking.phase = Phase::Body(body);
                asking.interims.clear();
                Ok(Answer::Refused(head))
            }
            Phase::Open(subprotocol, head) => {
                // The connection belongs to another protocol from here on, and ends with it.
                self.http = Http::Nothing;
                Ok(Answer::Open(subprotocol, head))
            }
            Phase::Through(head, upgraded) => {
                // Only the tunnel reads from here on.
                self.http = Http::Nothing;
                Ok(Answer::Through(head, upgraded.into_leftover()))
            }
            Phase::Failed(failure) => {
                asking.phase = Phase::Failed(failure.clone());
                Err(failure)
            }
            other @ (Phase::Idle(_)
            | Phase::Waiting(_)
            | Phase::Upgrading(_)
            | Phase::Tunnelling(_)
            | Phase::Body(_)
            | Phase::Over) => {
                asking.phase = other;
                self.waiters.read(cx, &mut self.woken);
                return Poll::Pending;
            }
        };
        self.waiters.stop_reading(&mut self.woken);
        Poll::Ready(answer)
    }

    /// The body of the response, once its head was taken.
    pub(crate) fn response_body(&mut self) -> Option<&ResponseBody> {
        self.http.asking()?.body().map(|body| &*body)
    }

    /// Reads the next piece of the body of a response; `None` at its end. What has arrived is returned before a
    /// failure.
    pub(crate) fn poll_response_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Ended>> {
        let mut polled = self.next_piece();
        if let (Poll::Pending, Some(ended)) = (&polled, self.ended.as_deref()) {
            polled = Poll::Ready(Err(ended.clone()));
        }
        if polled.is_pending() {
            let is_new = self.waiters.read(cx, &mut self.woken);
            self.wait_for_driver(is_new);
        } else {
            self.waiters.stop_reading(&mut self.woken);
        }
        polled
    }

    /// The next piece that has arrived.
    fn next_piece(&mut self) -> Poll<Result<Option<Bytes>, Ended>> {
        let Some(asking) = self.http.asking() else { return Poll::Ready(Ok(None)) };
        let Phase::Body(body) = &mut asking.phase else { return Poll::Ready(Ok(None)) };
        while let Some(ready) = body.poll()? {
            match body.event(ready) {
                Event::Data(data) => return Poll::Ready(Ok(Some(data.take()))),
                Event::Trailers(fields) => asking.trailers = Some(fields),
                Event::End => return Poll::Ready(Ok(None)),
            }
        }
        Poll::Pending
    }

    /// Pauses the server's time, since the caller no longer waits for the body.
    pub(crate) fn stop_reading_response(&mut self) {
        self.waiters.stop_reading(&mut self.woken);
        let now = self.now();
        if let Some(body) = self.http.body() {
            body.pause(now);
        }
    }

    /// Waits until the request is complete too. The body was read to its end. True if the connection can be used again.
    pub(crate) fn poll_again(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let Some(asking) = self.http.asking() else { return Poll::Ready(false) };
        let Phase::Body(body) = &asking.phase else { return Poll::Ready(false) };
        // The final response has arrived: a body that the server has not asked for by now will not be asked for.
        let is_unasked = matches!(asking.sent, Sent::Withheld) && asking.wanted.is_none();
        let is_lost = self.ended.is_some() || asking.write_error.is_some() || is_unasked || body.is_last();
        if let (Sent::Open | Sent::Withheld, false) = (&asking.sent, is_lost) {
            self.waiters.read(cx, &mut self.woken);
            return Poll::Pending;
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

    /// Skips the rest of the exchange, as far as it has arrived, since it is no longer needed. True if no request is
    /// open.
    pub(crate) fn comes_to_rest(&mut self) -> bool {
        while let Poll::Ready(Ok(Some(_))) = self.next_piece() {}
        let Some(asking) = self.http.asking() else { return false };
        if let (Phase::Body(body), Sent::Finished(_)) = (&asking.phase, &asking.sent) {
            if body.is_done() {
                let _ = self.poll_again(&mut Context::from_waker(Waker::noop()));
            }
        }
        self.http.asking().is_some_and(|asking| asking.is_idle())
    }

    /// Sets the time for the head of the response.
    pub(crate) fn set_response_time(&mut self, time: Option<Duration>) {
        let Some(asking) = self.http.asking() else { return };
        match &mut asking.phase {
            Phase::Waiting(response) => response.set_response_time(time),
            Phase::Upgrading(handshake) => handshake.set_response_time(time),
            Phase::Tunnelling(tunnel) => tunnel.set_response_time(time),
            Phase::Idle(_)
            | Phase::Head(_)
            | Phase::Body(_)
            | Phase::Open(..)
            | Phase::Through(..)
            | Phase::Failed(_)
            | Phase::Over => return,
        }
        self.leave_to_driver();
    }

    /// Gives the connection up.
    pub(crate) fn give_up(&mut self) {
        if let Some(asking) = self.http.asking() {
            asking.phase = Phase::Over;
            self.conclude(Outcome::Ended(Ended::GivenUp));
        }
    }
}
