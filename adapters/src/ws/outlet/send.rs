//! Waits for room in a queue.

use std::borrow::Borrow;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::{Outlet, Refused};
use crate::ws::{Message, NotSent};

/// Waits for room, then queues the message: [`Outlet::send`].
#[must_use = "futures do nothing unless polled"]
pub struct SendOutlet<'a>(Push<&'a Outlet>);

/// Waits for room within a time, then queues the message: [`Outlet::send_timeout`].
#[must_use = "futures do nothing unless polled"]
pub struct SendTimeout<'a>(Push<&'a Outlet>);

/// Why a message was not accepted at once.
#[derive(Debug)]
pub enum TrySendError {
    /// There is no room for it now, or other tasks wait for room. Holds the message.
    Full(Message),
    /// The connection is closing or has ended. Holds the message.
    NotSent(NotSent),
}

/// Why a message was not accepted in time.
#[derive(Debug)]
pub enum SendTimeoutError {
    /// There was no room for it in time. Holds the message.
    Timeout(Message),
    /// The connection is closing or has ended. Holds the message.
    NotSent(NotSent),
}

/// A wait for room, with an outlet that is borrowed or its own.
pub(super) struct Push<O: Borrow<Outlet>> {
    outlet: O,
    message: Option<Message>,
    /// The position among the waiting tasks.
    ticket: Option<u64>,
    timeout: Option<Duration>,
}

impl<'a> SendOutlet<'a> {
    pub(super) fn new(outlet: &'a Outlet, message: Message) -> Self {
        Self(Push { outlet, message: Some(message), ticket: None, timeout: None })
    }

    /// The message, if it was not accepted.
    pub fn into_message(mut self) -> Option<Message> {
        self.0.message.take()
    }
}

impl<'a> SendTimeout<'a> {
    pub(super) fn new(outlet: &'a Outlet, message: Message, timeout: Duration) -> Self {
        Self(Push { outlet, message: Some(message), ticket: None, timeout: Some(timeout) })
    }

    /// The message, if it was not accepted.
    pub fn into_message(mut self) -> Option<Message> {
        self.0.message.take()
    }
}

#[cfg(feature = "hub")]
impl Push<Outlet> {
    pub(super) fn new(outlet: Outlet, message: Message, timeout: Duration) -> Self {
        Self { outlet, message: Some(message), ticket: None, timeout: Some(timeout) }
    }

    pub(super) fn outlet(&self) -> &Outlet {
        &self.outlet
    }
}

impl<O: Borrow<Outlet>> Push<O> {
    /// Ready once the message was accepted, now or before.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<Result<(), Refused>> {
        let Some(message) = self.message.take() else { return Poll::Ready(Ok(())) };
        match self.outlet.borrow().queue.poll_push(cx, message, &mut self.ticket, self.timeout) {
            Err(Refused::Full(message)) => {
                self.message = Some(message);
                Poll::Pending
            }
            result => Poll::Ready(result),
        }
    }
}

impl<O: Borrow<Outlet>> Drop for Push<O> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.outlet.borrow().queue.withdraw(ticket);
        }
    }
}

impl Future for SendOutlet<'_> {
    type Output = Result<(), NotSent>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().0.poll(cx).map_err(NotSent::from)
    }
}

impl Future for SendTimeout<'_> {
    type Output = Result<(), SendTimeoutError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().0.poll(cx).map_err(SendTimeoutError::from)
    }
}

impl From<Refused> for NotSent {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Over(message, ended) => Self { message, ended },
            Refused::Full(message) | Refused::Late(message) => Self { message, ended: None },
        }
    }
}

impl From<Refused> for TrySendError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full(message) | Refused::Late(message) => Self::Full(message),
            over @ Refused::Over(..) => Self::NotSent(over.into()),
        }
    }
}

impl From<Refused> for SendTimeoutError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full(message) | Refused::Late(message) => Self::Timeout(message),
            over @ Refused::Over(..) => Self::NotSent(over.into()),
        }
    }
}

impl TrySendError {
    /// The message.
    pub fn into_message(self) -> Message {
        match self {
            Self::Full(message) | Self::NotSent(NotSent { message, .. }) => message,
        }
    }
}

impl SendTimeoutError {
    /// The message.
    pub fn into_message(self) -> Message {
        match self {
            Self::Timeout(message) | Self::NotSent(NotSent { message, .. }) => message,
        }
    }
}

impl fmt::Display for TrySendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("the message was not sent: there is no room for it now"),
            Self::NotSent(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for SendTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout(_) => f.write_str("the message was not sent: there was no room for it in time"),
            Self::NotSent(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TrySendError {}
impl std::error::Error for SendTimeoutError {}

impl fmt::Debug for SendOutlet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendOutlet").field("message", &self.0.message).finish_non_exhaustive()
    }
}

impl fmt::Debug for SendTimeout<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendTimeout").field("message", &self.0.message).finish_non_exhaustive()
    }
}
