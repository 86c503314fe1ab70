//! Receives a message of any size, in pieces.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use endwell_core::ws::Kind;

use super::halves::ReceiveHalf;
use crate::Ended;
use crate::wire::{Found, Paused};

/// Waits for the next message in pieces: [`Socket::receive_pieces`](super::Socket::receive_pieces).
#[must_use = "futures do nothing unless polled"]
pub struct ReceivePieces<'a> {
    half: Option<&'a mut ReceiveHalf>,
    paused: Option<Paused>,
}

/// A message that is being received in pieces.
///
/// It holds no piece. If it is dropped before the last one, the rest of the message is discarded as it arrives.
#[must_use = "the rest of the message is thrown away if it is dropped"]
pub struct Pieces<'a> {
    half: &'a mut ReceiveHalf,
    kind: Kind,
    progress: Progress,
    /// Unless the message was received whole, the connection's task does not read ahead.
    #[expect(dead_code, reason = "it counts until it is dropped")]
    paused: Option<Paused>,
}

/// How far the message is received.
enum Progress {
    /// More may come.
    Open,
    /// The whole message is here: it was received before it was asked for.
    Whole(Bytes),
    Done,
}

/// Waits for the next piece of a message: [`Pieces::read`].
#[must_use = "futures do nothing unless polled"]
pub struct ReadPiece<'a, 'p> {
    pieces: &'a mut Pieces<'p>,
}

impl<'a> ReceivePieces<'a> {
    pub(super) fn new(half: &'a mut ReceiveHalf) -> Self {
        Self { half: Some(half), paused: None }
    }
}

impl<'a> Future for ReceivePieces<'a> {
    type Output = Option<Pieces<'a>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Pieces<'a>>> {
        let Self { half: waiting, paused } = self.get_mut();
        let Some(half) = waiting else { return Poll::Ready(None) };
        if paused.is_none() {
            let ahead = half.link().lock().take_data_ahead();
            if let Some((kind, bytes)) = ahead {
                let progress = Progress::Whole(bytes);
                let pieces = waiting.take().map(|half| Pieces { half, kind, progress, paused: None });
                return Poll::Ready(pieces);
            }
        }
        // Set from here on, so that no other task receives the message that this waits for.
        paused.get_or_insert_with(|| Paused::new(half.link()));
        loop {
            let kind = match ready!(half.link().lock().poll_piece(cx)) {
                Some(Found::Start(kind)) => kind,
                // From a message whose first part was dropped.
                Some(Found::Piece(_) | Found::End) => continue,
                None => return Poll::Ready(None),
            };
            let (progress, paused) = (Progress::Open, paused.take());
            return Poll::Ready(waiting.take().map(|half| Pieces { half, kind, progress, paused }));
        }
    }
}

impl<'p> Pieces<'p> {
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
        let Pieces { half, progress, .. } = &mut *self.get_mut().pieces;
        match std::mem::replace(progress, Progress::Done) {
            Progress::Whole(bytes) if !bytes.is_empty() => return Poll::Ready(Ok(Some(bytes))),
            Progress::Whole(_) | Progress::Done => return Poll::Ready(Ok(None)),
            Progress::Open => {}
        }
        let mut wire = half.link().lock();
        loop {
            let Poll::Ready(found) = wire.poll_piece(cx) else {
                *progress = Progress::Open;
                return Poll::Pending;
            };
            match found {
                Some(Found::Piece(bytes)) => {
                    *progress = Progress::Open;
                    return Poll::Ready(Ok(Some(bytes)));
                }
                Some(Found::End) => return Poll::Ready(Ok(None)),
                Some(Found::Start(_)) => {}
                None => {
                    *progress = Progress::Open;
                    return Poll::Ready(Err(wire.how_it_ends()));
                }
            }
        }
    }
}

impl fmt::Debug for ReceivePieces<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivePieces").finish_non_exhaustive()
    }
}

impl fmt::Debug for Pieces<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pieces").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl fmt::Debug for ReadPiece<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadPiece").finish_non_exhaustive()
    }
}
