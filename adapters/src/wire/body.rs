//! Reads the body of the open exchange.

use std::task::{Context, Poll};

use bytes::Bytes;
use endwell_core::http::StatusCode;
use endwell_core::http::server::{Event, RequestBody};
use endwell_core::{Exceeded, Limit, Outbox};

use super::{Http, Wire, fill};
use crate::Ended;

impl Wire {
    /// Reads the next piece of the body of an exchange. `None` at its end, or if the exchange is over. `before_waiting`
    /// runs once if nothing is there yet.
    pub(crate) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        number: u64,
        before_waiting: impl FnOnce(&mut Outbox),
    ) -> Poll<Result<Option<Bytes>, Ended>> {
        if self.number != number {
            return Poll::Ready(Ok(None));
        }
        let polled = self.poll_open_body(cx, before_waiting);
        if polled.is_ready() {
            self.waiters.stop_reading(&mut self.woken);
        }
        polled
    }

    /// Notes that the reader of the body no longer waits. In another task, the driver may not notice that for a long
    /// time.
    pub(crate) fn stop_reading(&mut self, number: u64) {
        if self.number == number {
            self.waiters.stop_reading(&mut self.woken);
            let now = self.now();
            if let Some(body) = self.http.body() {
                body.pause(now);
            }
        }
    }

    fn poll_open_body(
        &mut self,
        cx: &mut Context<'_>,
        before_waiting: impl FnOnce(&mut Outbox),
    ) -> Poll<Result<Option<Bytes>, Ended>> {
        let mut before_waiting = Some(before_waiting);
        loop {
            if let Some(ended) = self.ended.as_deref() {
                return Poll::Ready(Err(ended.clone()));
            }
            let Some(recv) = self.http.request() else { return Poll::Ready(Ok(None)) };
            match recv.poll() {
                Ok(Some(ready)) => match recv.event(ready) {
                    Event::Data(data) => return Poll::Ready(Ok(Some(data.take()))),
                    Event::Trailers(fields) => {
                        self.trailers = Some(fields.into());
                        continue;
                    }
                    Event::End => return Poll::Ready(Ok(None)),
                },
                Err(error) => {
                    self.fallback = RequestBody::status_of_error(&error);
                    return Poll::Ready(Err(error.into()));
                }
                Ok(None) => {}
            }
            if let Some(before_waiting) = before_waiting.take() {
                before_waiting(&mut self.out);
            }
            // The peer may wait for queued output before it sends more.
            if let Poll::Ready(Err(ended)) = self.poll_driving(cx, Self::poll_write_out) {
                self.end(ended);
                continue;
            }
            match self.poll_driving(cx, Self::poll_fill_recv) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(ended)) => self.end(ended),
                Poll::Pending => return self.wait_to_read(cx),
            }
        }
    }

    fn poll_fill_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        let Self { http: Http::Request(recv), transport, .. } = self else { return Poll::Ready(Ok(())) };
        let filled = fill(transport, cx, recv.inbox());
        self.has_read(filled)
    }

    /// Judges the time limit of the body after a read that found nothing.
    fn wait_to_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Ended>> {
        if let Some(Err(error)) = self.http.request().map(RequestBody::poll) {
            self.fallback = RequestBody::status_of_error(&error);
            return Poll::Ready(Err(error.into()));
        }
        let is_new = self.waiters.read(cx, &mut self.woken);
        self.wait_for_driver(is_new);
        Poll::Pending
    }

    /// The bytes of an exchange's body still to come, if known.
    pub(crate) fn rest_of_body(&mut self, number: u64) -> Option<u64> {
        if self.number == number { self.http.request()?.remaining() } else { None }
    }

    /// Notes that a body is larger than a handler accepts.
    pub(crate) fn too_large(&mut self, bound: usize) -> Ended {
        self.fallback = StatusCode::CONTENT_TOO_LARGE;
        let bound = endwell_core::Bound::Bytes(u64::try_from(bound).unwrap_or(u64::MAX));
        Ended::Limit(Exceeded { limit: Limit::BodyBytes, bound })
    }
}
