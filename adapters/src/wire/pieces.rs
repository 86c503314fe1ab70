//! Receives a message in pieces.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use endwell_core::ws::Piece;
use endwell_core::ws::{Close, Kind};

use super::background::Reading;
use super::{Link, State, Wire};

/// What was found of a message.
pub(crate) enum Found {
    Start(Kind),
    Piece(Bytes),
    End,
}

/// While this lives, nothing is read ahead: that would yield whole messages, and one is being received in pieces.
pub(crate) struct Paused {
    link: Arc<Link>,
    reading: Reading,
}

impl Paused {
    pub(crate) fn new(link: &Arc<Link>) -> Self {
        let reading = std::mem::take(&mut link.lock().reading);
        Self { link: Arc::clone(link), reading }
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        let mut wire = self.link.lock();
        wire.reading = std::mem::take(&mut self.reading);
        wire.leave_to_driver();
    }
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
