//! What the driver does for a WebSocket whose application does not receive: it notices that the peer has ended its side
//! behind messages that lie unread, and discards what no reader takes any more.

use std::task::Context;
use std::time::Duration;

use endwell_core::Instant;
use endwell_core::ws::Close;

use crate::connection::{Connection, State};

/// How long messages may lie before a Close that is not answered, and none of them is taken. An application at work
/// answers them before; the time is a fifth of what we give a peer for its answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Whether what a socket receives is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Up to our Close, or the peer's.
    Reads,
    /// Up to the peer's Close, also after ours.
    ReadsOn,
    /// What arrives is discarded.
    Gone,
}

/// What lay unread at the last look.
#[derive(Default)]
pub(crate) struct Unread {
    bytes: usize,
    /// The peer sends nothing more.
    is_last: bool,
    /// When a Close among them is answered, or the end behind them is told, if nothing changes until then.
    until: Option<Instant>,
}

impl Unread {
    /// Notes a look at `now`. True if the application has had its time.
    fn is_overdue(&mut self, bytes: usize, is_last: bool, now: Instant) -> bool {
        if bytes == 0 {
            *self = Self { bytes, is_last, until: None };
            return is_last;
        }
        if (bytes, is_last) != (self.bytes, self.is_last) {
            *self = Self { bytes, is_last, until: Some(now.saturating_add(ANSWER_WITHIN)) };
        }
        let is_overdue = self.until.is_some_and(|until| now >= until);
        if is_overdue {
            self.until = None;
        }
        is_overdue
    }
}

impl Connection {
    /// Ends the right to write if the peer has ended its side, although messages before that are not taken: it has sent
    /// its Close, which is answered, or its stream has ended, or it is lost. An application that goes on taking them has
    /// the time to answer them first, and one that sends a message in pieces has the time to end it before it answers a
    /// Close. True if it did.
    pub(crate) fn look_for_end(&mut self) -> bool {
        let (bytes, is_last) = match &mut self.state {
            State::Socket(socket) => (socket.io().unread(), socket.io().has_ended() || socket.is_lost()),
            State::Within(socket) => (socket.io().unread(), socket.io().has_ended() || socket.is_lost()),
            _ => return false,
        };
        let now = self.now;
        if !self.unread.is_overdue(bytes, is_last, now) {
            return false;
        }
        self.state = match self.state.take() {
            State::Socket(socket) => match socket.answer_close() {
                Ok(receiving) => State::Receiving(receiving),
                Err(socket) if is_last => State::Receiving(socket.close_writing(Close::EMPTY)),
                Err(socket) => State::Socket(socket),
            },
            State::Within(socket) if is_last => State::Receiving(socket.close_writing(Close::EMPTY)),
            other => other,
        };
        let State::Receiving(_) = self.state else { return false };
        if self.reader == Reader::Gone {
            self.close_now();
        } else {
            self.life.half_closed(now);
            self.tell_outlets();
            self.wake_waiters();
        }
        true
    }

    /// When the end behind what lies unread is due.
    pub(crate) fn unread_until(&self) -> Option<Instant> {
        self.unread.until.filter(|_| self.state.is_socket())
    }

    /// Discards all input, from now on and so far: its reader is gone.
    pub(crate) fn discard_input(&mut self) {
        if let State::Receiving(_) = self.state {
            // Our Close is written: the peer has a bounded time for its own.
            self.close_now();
        } else if self.state.receives() {
            self.reader = Reader::Gone;
            self.waiters.stop_reading(&mut self.woken);
            self.leave_to_driver();
        }
    }

    /// Takes what has arrived in the place of a reader that is gone.
    pub(crate) fn discard(&mut self, cx: &mut Context<'_>) {
        if self.reader != Reader::Gone {
            return;
        }
        while self.may_receive() && !self.work.is_used_up() && self.state.has_event() {
            let _ = self.poll_message(cx);
        }
        if self.state.is_busy() {
            self.work.use_up();
        }
    }
}
