//! Reads the body of the open exchange.

use std::task::{Context, Poll};

use bytes::Bytes;
use endwell_core::http::{BodyEvent, StatusCode};

use super::respond::Fallback;
use crate::Ended;
use crate::connection::{Connection, State};

/// How far the body of a request is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    Unread,
    /// The response was begun, and the body has a reader of its own.
    Read,
    /// It was read to its end.
    Done,
}

impl Connection {
    /// Reads the next piece of the body of an exchange. `None` at its end. A client that waits for 100 Continue is sent it
    /// if nothing is there yet.
    ///
    /// A later exchange can only be open if the body of this one was read to its end.
    pub(crate) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        number: u64,
    ) -> Poll<Result<Option<Bytes>, Ended>> {
        if self.number != number {
            return Poll::Ready(Ok(None));
        }
        let polled = self.poll_open_body(cx);
        if polled.is_ready() {
            self.waiters.stop_reading(&mut self.woken);
        }
        polled
    }

    /// Notes that the reader of the body no longer waits.
    pub(crate) fn stop_reading(&mut self, number: u64) {
        if self.number == number {
            self.stop_waiting();
        }
    }

    fn poll_open_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Ended>> {
        loop {
            if self.request == Request::Done {
                return Poll::Ready(Ok(None));
            }
            if let Some(ended) = self.ended.as_deref() {
                return Poll::Ready(Err(ended.clone()));
            }
            if !self.state.has_body() {
                let ended = self.shed_as().cloned().unwrap_or_else(|| self.how_it_ends());
                return Poll::Ready(Err(ended));
            }
            match self.state.request_event() {
                Some(BodyEvent::Data(data)) => return Poll::Ready(Ok(Some(data.take()))),
                Some(BodyEvent::Trailers(fields)) => {
                    self.trailers = Some(fields.clone().into());
                    continue;
                }
                Some(BodyEvent::End) => {
                    self.request = Request::Done;
                    self.end_body();
                    return Poll::Ready(Ok(None));
                }
                Some(BodyEvent::Failed(error)) => {
                    let ended = Ended::of_error(error.clone());
                    self.fallback =
                        Some(Fallback::new(StatusCode::of_error(error), Some(ended.clone())).into());
                    return Poll::Ready(Err(ended));
                }
                None => {}
            }
            if let State::Open(exchange) = &mut self.state {
                exchange.proceed();
            }
            return self.wait_for_peer(cx);
        }
    }
}
