//! Receives a message in pieces.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use endwell_core::ws::{Kind, NextPiece, Piece, Session};

use super::background::Reading;
use super::{Link, SocketState, Wire};

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
        self.waiters.takes_pieces = true;
        loop {
            let Some(next) = ready!(self.poll_session(cx, Session::poll_piece)) else {
                return Poll::Ready(None);
            };
            let Self { socket: SocketState::Open(session), out, .. } = self else { return Poll::Ready(None) };
            let found = match next {
                NextPiece::Event(ready) => session.event(ready, out).map(|_| None),
                NextPiece::Piece(ready) => session.piece(ready, out).map(|piece| {
                    Some(match piece {
                        Piece::Start(kind) => Found::Start(kind),
                        Piece::Text(text) => Found::Piece(text.take()),
                        Piece::Binary(data) => Found::Piece(data.take()),
                        Piece::End => Found::End,
                    })
                }),
            };
            match found {
                Ok(Some(found)) => return Poll::Ready(Some(found)),
                // An answer, or why nothing more is received: the end reports it.
                Ok(None) | Err(_) => self.write_now(cx),
            }
        }
    }
}
