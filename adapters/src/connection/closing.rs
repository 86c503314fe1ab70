//! The last phase of a connection: the last bytes go out, and the peer has time to take them.

use std::task::{Context, Poll, ready};

use endwell_core::{Closing, Ending, Outcome};

use super::state::{EndOfStream, Last};
use super::{Connection, State};
use crate::Ended;

impl Connection {
    /// Takes the last phase as far as what was read and written allows, and ends the connection once it is over.
    pub(crate) fn advance_closing(&mut self, cx: &mut Context<'_>) {
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
        if end_of_stream != EndOfStream::Owed {
            return;
        }
        match self.poll_end(cx) {
            Poll::Ready(Ok(())) => {
                if let State::Closing(last) = &mut self.state {
                    last.end_of_stream = EndOfStream::Sent;
                }
                self.look_again();
            }
            Poll::Ready(Err(ended)) => self.end(ended),
            Poll::Pending => {}
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
    pub(crate) fn cut_last(&mut self, ended: Ended) -> Ended {
        let is_flushed = self.is_flushed();
        let State::Closing(Last { closing, ended: told, .. }) = &mut self.state else { return ended };
        match (told.take(), Closing::ended(closing)) {
            (Some(told), _) => *told,
            (None, Outcome::Transport) => ended,
            (None, Outcome::Closed { .. }) if !is_flushed => ended,
            (None, known) => Ended::of_web_socket(known.clone()),
        }
    }
}

/// What is told of the end.
fn told(ended: Option<Box<Ended>>, known: Outcome) -> Ended {
    ended.map_or_else(|| Ended::of_web_socket(known), |ended| *ended)
}
