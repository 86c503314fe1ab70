//! The last phase of a connection: the last bytes go out, and the peer has time to take them.

use std::task::{Context, Poll, ready};

use endwell_core::{Closing, Ended as Known, Ending};

use super::look::{Looked, Waits};
use super::state::{EndOfStream, Last};
use super::{State, Wire};
use crate::Ended;

impl Wire {
    /// Takes the last phase as far as possible, and ends the connection once it is over.
    pub(super) fn poll_closing(&mut self, cx: &mut Context<'_>) {
        loop {
            let position = self.position();
            let Last { closing, mut end_of_stream, ended } = match self.state.take() {
                State::Closing(last) => last,
                other => {
                    self.state = other;
                    return;
                }
            };
            let closing = match closing.poll() {
                Ending::Wait(closing) => closing,
                Ending::EndWrite(closing) => {
                    end_of_stream = EndOfStream::Owed;
                    closing
                }
                Ending::Done(known) => return self.is_over(told(ended, known), position),
                Ending::Reset(known) => {
                    self.reset();
                    return self.is_over(told(ended, known), position);
                }
            };
            self.state = State::Closing(Last { closing, end_of_stream, ended });
            if end_of_stream == EndOfStream::Owed {
                match self.poll_end(cx) {
                    Poll::Ready(Ok(())) => {
                        end_of_stream = EndOfStream::Sent;
                        if let State::Closing(last) = &mut self.state {
                            last.end_of_stream = end_of_stream;
                        }
                    }
                    Poll::Ready(Err(ended)) => return self.end(ended),
                    Poll::Pending => {}
                }
            }
            if self.looked == Looked::Late {
                return;
            }
            if self.work.is_used_up() {
                return self.yield_turn();
            }
            // The peer's time begins with the end of the stream, which a lower layer may still hold back.
            let waits = if end_of_stream == EndOfStream::Owed { Waits::No } else { Waits::Yes };
            match self.poll_look(cx, waits) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(ended)) => return self.end(ended),
                Poll::Pending => return,
            }
        }
    }

    /// Ends the write side behind the last byte.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        ready!(self.poll_write_out(cx))?;
        self.poll_end_write(cx)
    }

    /// Ends the last phase after the connection ended with `ended`. Returns what is told of the end: once both Closes of a
    /// WebSocket have passed, or the protocol has failed, later events do not change that. A Close that is still queued
    /// has not passed, nor has anything accepted before it. For HTTP all is said: no peer is left to tell.
    pub(super) fn cut_last(&mut self, ended: Ended) -> Ended {
        let is_flushed = self.is_flushed();
        let State::Closing(Last { closing, ended: told, .. }) = &mut self.state else { return ended };
        match (told.take(), Closing::ended(closing)) {
            (Some(told), _) => *told,
            (None, Known::Transport) => ended,
            (None, Known::Closed { .. }) if !is_flushed => ended,
            (None, known) => Ended::WebSocket(known.clone()),
        }
    }
}

/// What is told of the end.
fn told(ended: Option<Box<Ended>>, known: Known) -> Ended {
    ended.map_or_else(|| Ended::WebSocket(known), |ended| *ended)
}
