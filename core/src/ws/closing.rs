//! Our Close is written: wait for what is still to come, and no longer than the limit. RFC 6455 7.1.

use super::close::Close;
use super::ended::{End, Ended};
use super::event::Event;
use super::failure::Cause;
use super::frame::Peer;
use super::receiver::{Receiver, State};
use super::sender::CloseSent;
use crate::{Deadline, Exceeded, Inbox, Instant, Limit, Outbox, Step};

/// A connection on which nothing is written any more. It ends in [`Ended`], always.
///
/// First it waits for the peer's Close, if that has not come, and throws away all that comes before it. Then it waits for
/// the end of the stream: the server closes TCP first (RFC 6455 7.1.1) and the client waits for that. Each wait is
/// at most [`Limits::close_time`](super::Limits::close_time) long, from the moment in which everything is written.
#[derive(Debug)]
#[must_use = "dropping it closes the connection at once, and the peer may lose the last frames"]
pub struct Closing {
    recv: Receiver,
    wait: Wait,
    since: Option<Instant>,
}

/// What is waited for.
#[derive(Debug)]
enum Wait {
    /// The peer's Close.
    Answer(Close),
    /// The end of the stream. How it all ended is known.
    EndOfStream(Ended),
}

impl Closing {
    pub(super) fn new(recv: Receiver, CloseSent(sent): CloseSent) -> Self {
        let wait = match recv.over() {
            None => Wait::Answer(sent),
            Some(Ok(received)) => {
                let received = received.clone();
                Wait::EndOfStream(Ended::Closed { first: End::Theirs, sent, received })
            }
            Some(Err(cause)) => Wait::EndOfStream(cause.clone().into()),
        };
        Self { recv, wait, since: None }
    }

    /// Where received bytes go.
    pub fn inbox(&mut self) -> &mut Inbox {
        self.recv.inbox()
    }

    /// Takes what arrived, and says how the connection ended when it has.
    ///
    /// The time starts with the first poll after `out` was written empty. It is over when a read beyond it found
    /// nothing, or, for a peer that goes on sending, after twice the limit.
    pub fn poll(mut self, now: Instant, out: &Outbox) -> Step<Self, Ended> {
        self.take_arrived();
        if !out.is_empty() {
            return Step::Wait(self);
        }
        if self.recv.inbox.has_ended() {
            return Step::Done(self.story());
        }
        let limit = self.recv.limits.close_time;
        let since = *self.since.get_or_insert(now);
        let over = since.saturating_add(limit);
        let is_dry = self.recv.inbox.dry_at().is_some_and(|at| at >= over);
        if is_dry || now >= over.saturating_add(limit) {
            return Step::Done(self.story());
        }
        Step::Wait(self)
    }

    /// True if the write side must be ended now: all is written, and this end closes TCP first.
    ///
    /// The server does, when both Close frames have passed or when it failed the connection. The end of the
    /// write side lets the peer read all of it; closing at once could destroy the last frames.
    pub fn ends_writing(&self, out: &Outbox) -> bool {
        out.is_empty() && self.recv.peer == Peer::Client && matches!(self.wait, Wait::EndOfStream(_))
    }

    /// When to poll again though nothing arrived.
    pub fn deadline(&self) -> Option<Deadline> {
        let since = self.since?;
        Some(Deadline { at: since.saturating_add(self.recv.limits.close_time), reason: Limit::CloseTime })
    }

    /// The transport failed: how the connection ended.
    pub fn cut(self) -> Ended {
        match self.wait {
            Wait::Answer(_) => Ended::Transport,
            Wait::EndOfStream(ended) => ended,
        }
    }

    /// Bytes of memory that are held beyond the inbox: see [`Receiver::held_bytes`].
    pub fn held_bytes(&self) -> usize {
        self.recv.held_bytes()
    }

    fn take_arrived(&mut self) {
        while let Some(ready) = self.recv.poll() {
            let found = match self.recv.event(ready) {
                Ok(Event::Close(close)) => Ok(close.0),
                Ok(
                    Event::Text(_) | Event::Binary(_) | Event::Ping(_) | Event::Pong(_) | Event::PingDue(_),
                ) => continue,
                Err(failure) => Err(failure),
            };
            if let Wait::Answer(sent) = &mut self.wait {
                let sent = core::mem::take(sent);
                self.wait = Wait::EndOfStream(match found {
                    Ok(received) => Ended::Closed { first: End::Ours, sent, received },
                    Err(failure) => failure.cause().clone().into(),
                });
                self.since = None;
            }
        }
    }

    fn story(self) -> Ended {
        match self.wait {
            Wait::Answer(_) => Ended::Exceeded(Exceeded::time(Limit::CloseTime, self.recv.limits.close_time)),
            Wait::EndOfStream(ended) => ended,
        }
    }
}

impl Receiver {
    /// How it ended, if it has: what the peer's Close said, or what failed.
    fn over(&self) -> Option<Result<&Close, &Cause>> {
        match &self.state {
            State::Closed(close) => Some(Ok(close)),
            State::Failed(cause) => Some(Err(cause)),
            State::Idle
            | State::Begun
            | State::Gathering(_)
            | State::HandedOut(_)
            | State::Started
            | State::Streaming(_)
            | State::Skipping(_)
            | State::Inflating(_)
            | State::Failing(_) => None,
        }
    }
}
