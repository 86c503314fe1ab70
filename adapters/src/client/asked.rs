//! A request without an answer so far, whatever it asks for.

use std::task::{Context, Poll};
use std::time::Duration;

use super::asking::Answer;
use super::connection::Right;
use super::request_error::RequestError;
use super::response_future::ResponseFuture;
use super::switch::SwitchFuture;
use super::total_time::TotalTime;
use crate::once::Once;

/// A request without an answer so far. If it is dropped, the connection closes.
pub(crate) struct Asked {
    right: Once<Right>,
    time: Option<TotalTime>,
}

impl Asked {
    pub(super) fn new(right: Right) -> Self {
        Self { right: Once::new(right), time: None }
    }

    /// The answer must come within `time`.
    pub(crate) fn within(self, time: Option<TotalTime>) -> Self {
        Self { time, ..self }
    }

    /// The right to the connection. `None` once the answer has come.
    pub(super) fn peek(&self) -> Option<&Right> {
        self.right.peek()
    }

    /// What is left of the time, once the answer has come.
    pub(super) fn take_time(&mut self) -> Option<TotalTime> {
        self.time.take()
    }

    pub(super) fn set_response_time(&self, time: Option<Duration>) {
        if let Some(right) = self.peek() {
            right.link().lock().set_response_time(time);
        }
    }

    pub(super) fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(Right, Answer), RequestError>> {
        let mut polled = self.right.get().link().lock().poll_answer(cx);
        if let (Poll::Pending, Some(time)) = (&polled, &mut self.time) {
            // Timers drop wakers, which no lock may be held for.
            if time.poll_over(cx).is_ready() {
                let exceeded = time.exceeded();
                polled = Poll::Ready(Err(self.right.get().link().lock().is_late(exceeded)));
            }
        }
        polled.map(|answer| {
            // A right that is no longer used is dropped without the lock.
            let right = self.right.take();
            answer.map(|answer| (right, answer))
        })
    }
}

macro_rules! asked {
    ($($future:ty),*) => {
        $(impl AsMut<Asked> for $future {
            fn as_mut(&mut self) -> &mut Asked {
                &mut self.0
            }
        })*
    };
}

asked!(ResponseFuture, SwitchFuture);
