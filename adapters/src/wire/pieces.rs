//! Receives a message in pieces.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use endwell_core::ws::Piece;
use endwell_core::ws::{Close, Kind};

use super::{State, Wire};

/// What was found of a message.
pub(crate) enum Found {
    Start(Kind),
    Piece(Bytes),
    End,
}

impl Wire {
    /// Waits for the next part of a message, or the start of the next one; `None` if nothing more will come. Control
    /// frames are answered.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Found>> {
        loop {
            if !ready!(self.poll_ready(cx, State::has_piece)) {
                return Poll::Ready(None);
            }
            match self.state.piece() {
                Some(Piece::Start(kind)) => return Poll::Ready(Some(Found::Start(kind))),
                Some(Piece::Text(text)) => return Poll::Ready(Some(Found::Piece(text.take()))),
                Some(Piece::Binary(data)) => return Poll::Ready(Some(Found::Piece(data.take()))),
                Some(Piece::End) => return Poll::Ready(Some(Found::End)),
                Some(Piece::Ping(_) | Piece::Pong(_)) | None => {}
                // The answer, or why nothing more is received: the end reports it.
                Some(Piece::Close(_) | Piece::Failed(_)) => self.close_socket_now(Close::EMPTY),
            }
            self.leave_to_driver();
        }
    }
}
