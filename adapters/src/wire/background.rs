//! Reads a socket whether the application waits for a message or not.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use endwell_core::ws::Kind;

use super::Wire;
use crate::sync::Woken;
use crate::ws::{Message, ReadAhead};

/// The reader of a socket.
#[derive(Default)]
pub(crate) enum Reading {
    /// The application, when it waits for a message.
    #[default]
    OnDemand,
    /// The driver, up to a bound.
    Ahead(Box<Ahead>),
    /// The driver, which discards what it reads.
    Discard,
}

/// Messages that were read ahead.
pub(crate) struct Ahead {
    messages: VecDeque<Message>,
    bytes: usize,
    bounds: ReadAhead,
    reader: Option<Waker>,
}

impl Reading {
    /// The bytes held.
    pub(super) fn held(&self) -> usize {
        match self {
            Self::Ahead(ahead) => ahead.bytes,
            Self::OnDemand | Self::Discard => 0,
        }
    }
}

impl Reading {
    /// Wakes the task that waits for a message.
    pub(super) fn wake(&mut self, woken: &mut Woken) {
        if let Self::Ahead(ahead) = self {
            woken.take(&mut ahead.reader);
        }
    }
}

impl Ahead {
    /// One message is taken whatever the bounds are: otherwise the task that waits for it would wait for ever.
    fn is_full(&self) -> bool {
        !self.messages.is_empty()
            && (self.messages.len() >= self.bounds.messages || self.bytes >= self.bounds.bytes)
    }

    fn push(&mut self, message: Message) {
        self.bytes = self.bytes.saturating_add(message.len());
        self.messages.push_back(message);
    }

    fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.bytes = self.bytes.saturating_sub(message.len());
        Some(message)
    }
}

impl Wire {
    /// Makes the driver read ahead from now on.
    pub(crate) fn read_ahead(&mut self, bounds: ReadAhead) {
        match &mut self.reading {
            Reading::Ahead(ahead) => ahead.bounds = bounds,
            Reading::OnDemand | Reading::Discard => {
                let (messages, reader) = (VecDeque::new(), None);
                self.reading = Reading::Ahead(Ahead { messages, bytes: 0, bounds, reader }.into());
            }
        }
        self.leave_to_driver();
    }

    /// Discards all input, from now on and so far.
    pub(crate) fn discard_input(&mut self) {
        if self.state.is_socket() {
            self.reading = Reading::Discard;
            self.waiters.stop_reading(&mut self.woken);
            self.leave_to_driver();
        } else {
            self.reading = Reading::OnDemand;
        }
    }

    /// True if the driver reads ahead.
    pub(crate) fn is_read_ahead(&self) -> bool {
        matches!(self.reading, Reading::Ahead(_))
    }

    /// Takes a message that was read ahead.
    fn take_ahead(&mut self) -> Option<Message> {
        let Reading::Ahead(ahead) = &mut self.reading else { return None };
        let was_full = ahead.is_full();
        let message = ahead.pop()?;
        if was_full {
            self.leave_to_driver();
        }
        Some(message)
    }

    /// Takes the first text or binary message that was read ahead.
    pub(crate) fn take_data_ahead(&mut self) -> Option<(Kind, Bytes)> {
        loop {
            let message = self.take_ahead()?;
            if let Some(kind) = message.kind() {
                return Some((kind, message.into_bytes()));
            }
        }
    }

    /// Waits for the next message; `None` if nothing more will come.
    #[inline]
    pub(crate) fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let Reading::Ahead(_) = self.reading else { return self.poll_next_message(cx) };
        if let Some(message) = self.take_ahead() {
            return Poll::Ready(Some(message));
        }
        if self.driving {
            self.read_in_background(cx);
            if let Some(message) = self.take_ahead() {
                return Poll::Ready(Some(message));
            }
        }
        if !self.may_receive() {
            return Poll::Ready(None);
        }
        let is_new = match &mut self.reading {
            Reading::Ahead(ahead) => self.woken.register(&mut ahead.reader, cx.waker()),
            Reading::OnDemand | Reading::Discard => true,
        };
        self.wait_for_driver(is_new);
        Poll::Pending
    }

    /// Reads ahead or discards, as set.
    pub(super) fn read_in_background(&mut self, cx: &mut Context<'_>) {
        loop {
            match &self.reading {
                Reading::OnDemand => return,
                Reading::Ahead(ahead) if ahead.is_full() => {
                    // No time limit runs for a peer whose messages are not looked at.
                    return self.stop_waiting();
                }
                Reading::Ahead(_) | Reading::Discard => {}
            }
            let polled = self.poll_next_message(cx);
            let Reading::Ahead(ahead) = &mut self.reading else {
                match polled {
                    Poll::Ready(Some(_)) => continue,
                    Poll::Ready(None) | Poll::Pending => return,
                }
            };
            match polled {
                Poll::Ready(message) => {
                    self.woken.take(&mut ahead.reader);
                    match message {
                        Some(message) => ahead.push(message),
                        None => return,
                    }
                }
                Poll::Pending => return,
            }
        }
    }
}
