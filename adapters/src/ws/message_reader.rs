//! Receives a message of any size, in pieces.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use endwell_core::ws::{Close, Kind, Piece};

use super::halves::ReceiveHalf;
use crate::Ended;
use crate::connection::{Connection, State};

/// Waits for the next message in pieces: [`Socket::receive_pieces`](super::Socket::receive_pieces).
#[must_use = "futures do nothing unless polled"]
pub struct ReceivePieces<'a> {
    half: Option<&'a mut ReceiveHalf>,
}

/// A message that is being received in pieces.
///
/// It holds no piece. If it is dropped before the last one, the rest of the message is discarded as it arrives.
#[must_use = "the rest of the message is thrown away if it is dropped"]
pub struct MessageReader<'a> {
    half: &'a mut ReceiveHalf,
    kind: Kind,
    /// The last piece was read.
    is_done: bool,
}

/// Waits for the next piece of a message: [`MessageReader::read`].
#[must_use = "futures do nothing unless polled"]
pub struct ReadPiece<'a, 'p> {
    pieces: &'a mut MessageReader<'p>,
}

impl<'a> ReceivePieces<'a> {
    pub(super) fn new(half: &'a mut ReceiveHalf) -> Self {
        Self { half: Some(half) }
    }
}

impl<'a> Future for ReceivePieces<'a> {
    type Output = Option<MessageReader<'a>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<MessageReader<'a>>> {
        let Self { half: waiting } = self.get_mut();
        let Some(half) = waiting else { return Poll::Ready(None) };
        loop {
            let kind = match ready!(half.link().lock().poll_piece(cx)) {
                Some(Found::Start(kind)) => kind,
                // From a message whose first part was dropped.
                Some(Found::Piece(_) | Found::End) => continue,
                None => return Poll::Ready(None),
            };
            return Poll::Ready(waiting.take().map(|half| MessageReader { half, kind, is_done: false }));
        }
    }
}

impl<'p> MessageReader<'p> {
    /// Text or binary.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Reads the next piece, as it arrived; `None` when the message is complete. No piece is empty, and pieces of text
    /// hold complete characters. The boundaries between pieces mean nothing.
    ///
    /// # Errors
    ///
    /// If the message cannot be completed: it broke the protocol or a limit, or the connection is closing or has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a piece that was not returned is returned by the next call.
    pub fn read(&mut self) -> ReadPiece<'_, 'p> {
        ReadPiece { pieces: self }
    }
}

impl Future for ReadPiece<'_, '_> {
    type Output = Result<Option<Bytes>, Ended>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let MessageReader { half, is_done, .. } = &mut *self.get_mut().pieces;
        if *is_done {
            return Poll::Ready(Ok(None));
        }
        let mut connection = half.link().lock();
        loop {
            match ready!(connection.poll_piece(cx)) {
                Some(Found::Piece(bytes)) => return Poll::Ready(Ok(Some(bytes))),
                Some(Found::End) => {
                    *is_done = true;
                    return Poll::Ready(Ok(None));
                }
                Some(Found::Start(_)) => {}
                None => return Poll::Ready(Err(connection.how_it_ends())),
            }
        }
    }
}

impl fmt::Debug for ReceivePieces<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivePieces").finish_non_exhaustive()
    }
}

impl fmt::Debug for MessageReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageReader").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl fmt::Debug for ReadPiece<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadPiece").finish_non_exhaustive()
    }
}

/// What was found of a message.
enum Found {
    Start(Kind),
    Piece(Bytes),
    End,
}

impl Connection {
    /// Waits for the next part of a message, or the start of the next one; `None` if nothing more will come. Control
    /// frames are answered.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Found>> {
        loop {
            if !ready!(self.poll_ready(cx, State::has_piece)) {
                return Poll::Ready(None);
            }
            match self.state.piece() {
                Some(Piece::Start(kind)) => return Poll::Ready(Some(Found::Start(kind))),
                Some(Piece::Text(text)) => return Poll::Ready(Some(Found::Piece(text.take()))),
                Some(Piece::Binary(data)) => return Poll::Ready(Some(Found::Piece(data.take()))),
                Some(Piece::End) => {
                    self.observed.received_message();
                    return Poll::Ready(Some(Found::End));
                }
                Some(Piece::Ping(_) | Piece::Pong(_)) | None => {}
                // The answer, or why nothing more is received: the end reports it.
                Some(Piece::Close(_) | Piece::Failed(_)) => self.close_socket_now(Close::EMPTY),
            }
            self.leave_to_driver();
        }
    }
}
