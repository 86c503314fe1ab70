//! Sending a whole message.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use endwell_core::ws::Writing;

use super::halves::SendHalf;
use super::message::Message;
use crate::Ended;
use crate::wire::{Side, SocketState, Until, Wire};

/// Waits for room, then hands the message over.
#[must_use = "futures do nothing unless polled"]
pub struct Send<'a> {
    pub(super) half: &'a mut SendHalf,
    pub(super) message: Option<Message>,
}

impl Send<'_> {
    /// The message, if it was not handed over.
    pub fn into_message(self) -> Option<Message> {
        self.message
    }
}

/// A message that was not sent, and why.
#[derive(Debug)]
pub struct NotSent {
    /// The message, whole: nothing of it was written.
    pub message: Message,
    /// How the connection ended. `None`: it is closing, because the peer has closed it or this side has.
    pub ended: Option<Ended>,
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.ended {
            Some(ended) => write!(f, "the message was not sent: {ended}"),
            None => f.write_str("the message was not sent: the connection is closing"),
        }
    }
}

impl std::error::Error for NotSent {}

impl From<NotSent> for Ended {
    fn from(error: NotSent) -> Self {
        error.ended.unwrap_or(Self::Announced)
    }
}

impl Future for Send<'_> {
    type Output = Result<(), NotSent>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { half, message } = self.get_mut();
        half.poll_send(cx, message)
    }
}

impl SendHalf {
    /// Hands over the message that is `waiting`, when it fits.
    pub(super) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        waiting: &mut Option<Message>,
    ) -> Poll<Result<(), NotSent>> {
        let mut wire = self.link().lock();
        loop {
            let Some(message) = waiting.take() else { return Poll::Ready(Ok(())) };
            let len = message.len();
            if let Some(ended) = wire.ended() {
                return Poll::Ready(Err(NotSent { message, ended: Some(ended.clone()) }));
            }
            let Wire { socket, .. } = &mut *wire;
            let SocketState::Open(_) = socket else {
                return Poll::Ready(Err(NotSent { message, ended: socket.ended() }));
            };
            if !wire.has_room_for(len) {
                *waiting = Some(message);
                if let Err(ended) = ready!(wire.poll_output(cx, Side::Writer, Until::Fits(len))) {
                    if let Some(message) = waiting.take() {
                        return Poll::Ready(Err(NotSent { message, ended: Some(ended) }));
                    }
                }
                continue;
            }
            let Wire { socket, out, .. } = &mut *wire;
            let SocketState::Open(session) = socket else { continue };
            let Writing::Idle(sender) = session.writing() else {
                return Poll::Ready(Err(NotSent { message, ended: None }));
            };
            match message.write(sender, out) {
                Ok(()) => {
                    wire.leave_to_driver();
                    return Poll::Ready(Ok(()));
                }
                Err(message) => *waiting = Some(message),
            }
        }
    }

    /// Waits until there is some room.
    #[cfg(feature = "futures")]
    pub(super) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        let mut wire = self.link().lock();
        if let SocketState::Open(_) = wire.socket {
            return wire.poll_output(cx, Side::Writer, Until::Room(0));
        }
        Poll::Ready(Err(wire.socket.ended().unwrap_or(Ended::Announced)))
    }

    /// Hands over as much of `data` as there is room for, up to `most` bytes, as a binary message: how much. The error says
    /// how the connection ended, if it has.
    pub(super) fn poll_write_binary(
        &mut self,
        cx: &mut Context<'_>,
        data: &[u8],
        most: usize,
    ) -> Poll<Result<usize, Option<Ended>>> {
        let mut wire = self.link().lock();
        loop {
            let SocketState::Open(_) = wire.socket else { return Poll::Ready(Err(wire.socket.ended())) };
            ready!(wire.poll_output(cx, Side::Writer, Until::Room(1))).map_err(Some)?;
            let Wire { socket, out, .. } = &mut *wire;
            let SocketState::Open(session) = socket else { continue };
            let Writing::Idle(sender) = session.writing() else { return Poll::Ready(Err(None)) };
            let piece = data.get(..data.len().min(most).min(out.room())).unwrap_or_default();
            if sender.binary(piece, out).is_ok() {
                let len = piece.len();
                wire.leave_to_driver();
                return Poll::Ready(Ok(len));
            }
        }
    }
}

impl fmt::Debug for Send<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Send").field("message", &self.message).finish_non_exhaustive()
    }
}
