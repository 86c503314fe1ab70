//! Sends a message in pieces.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use endwell_core::ws::{CloseCode, Control, Full, PieceNotWritten};

use super::halves::SendHalf;
use crate::Ended;
use crate::connection::{Side, State, Until};

/// A message that is being sent in pieces.
///
/// [`finish`](Self::finish) ends it. If it is dropped instead, the message can never be complete: the peer receives
/// 1011 and the connection closes.
#[must_use = "a message that is not finished closes the connection"]
pub struct MessageWriter<'a> {
    half: Option<&'a mut SendHalf>,
}

impl<'a> MessageWriter<'a> {
    pub(super) fn new(half: &'a mut SendHalf) -> Self {
        Self { half: Some(half) }
    }

    /// Sends a piece as a frame of its own: waits for room, then queues it. An empty piece sends nothing.
    ///
    /// # Errors
    ///
    /// If the connection is closing or has ended, or a piece of a text message is not UTF-8. In the latter case none of
    /// it was written, and another piece can be.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped before it is ready has sent nothing of the piece.
    pub fn write(&mut self, data: impl Into<Bytes>) -> WritePiece<'_> {
        WritePiece { half: self.half.as_deref_mut(), data: data.into() }
    }

    /// Sends a ping now, between two pieces.
    ///
    /// # Errors
    ///
    /// Returns the payload if the connection is closing, or even the reserve for control frames is full.
    pub fn ping<'p>(&mut self, payload: Control<'p>) -> Result<(), Full<Control<'p>>> {
        match self.half.as_deref_mut() {
            Some(half) => half.ping(payload),
            None => Err(Full(payload)),
        }
    }

    /// Sends as much of `data` as there is room for, as a frame of its own, and returns how much: for copies from a
    /// byte stream, such as `tokio::io::copy`. Feature `tokio` makes it `tokio::io::AsyncWrite`, and feature
    /// `futures-io` that of `futures-io`. Flushing waits for the transport, and shutting down only flushes:
    /// [`finish`](Self::finish) ends the message.
    ///
    /// # Errors
    ///
    /// If the connection is closing or has ended, or the message is text and `data` is split within a character.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let Some(data) = slices.iter().find(|slice| !slice.is_empty()) else { return Poll::Ready(Ok(0)) };
        let Some(half) = self.half.as_deref_mut() else { return Poll::Ready(Err(broken(None))) };
        let mut connection = half.link().lock();
        loop {
            ready!(connection.poll_output(cx, Side::Writer, Until::Room(1)))
                .map_err(|ended| broken(Some(ended)))?;
            let room = connection.room();
            let State::Within(socket) = &mut connection.state else { return Poll::Ready(Err(broken(None))) };
            let piece = data.get(..data.len().min(PIECE).min(room)).unwrap_or_default();
            match socket.writer().write(Bytes::copy_from_slice(piece)) {
                Ok(()) => {
                    connection.leave_to_driver();
                    return Poll::Ready(Ok(piece.len()));
                }
                Err(PieceNotWritten::Full(_)) => {}
                Err(error @ PieceNotWritten::NotText(_)) => {
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
                }
            }
        }
    }

    /// Waits until the transport has taken everything.
    ///
    /// # Errors
    ///
    /// If the connection has ended.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(half) = self.half.as_deref_mut() else { return Poll::Ready(Err(broken(None))) };
        half.link().lock().poll_output(cx, Side::Writer, Until::Flushed).map_err(|ended| broken(Some(ended)))
    }

    /// Ends the message. Only a message without a piece waits for room.
    ///
    /// # Errors
    ///
    /// If the connection is closing or has ended.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped before it is ready has not ended the message, which is then dropped, as above.
    pub fn finish(self) -> FinishPieces<'a> {
        FinishPieces { writer: self }
    }
}

/// The largest frame in bytes that is copied: a pong waits for at most this much.
const PIECE: usize = 32 << 10;

fn broken(ended: Option<Ended>) -> io::Error {
    match ended {
        Some(ended) => io::Error::new(io::ErrorKind::BrokenPipe, ended),
        None => io::ErrorKind::BrokenPipe.into(),
    }
}

impl Drop for MessageWriter<'_> {
    fn drop(&mut self) {
        if let Some(half) = self.half.take() {
            half.link().lock().close_socket(CloseCode::INTERNAL_ERROR.into());
        }
    }
}

impl fmt::Debug for MessageWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageWriter").finish_non_exhaustive()
    }
}

/// Ends a message in pieces, once there is room: [`MessageWriter::finish`].
#[must_use = "futures do nothing unless polled, and a message that is not finished closes the connection"]
pub struct FinishPieces<'a> {
    writer: MessageWriter<'a>,
}

impl Future for FinishPieces<'_> {
    type Output = Result<(), Ended>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let half = &mut self.get_mut().writer.half;
        let Some(link) = half.as_deref().map(SendHalf::link) else {
            return Poll::Ready(Err(Ended::ANNOUNCED));
        };
        let finished = ready!(link.lock().poll_finish_message(cx));
        *half = None;
        Poll::Ready(finished)
    }
}

impl fmt::Debug for FinishPieces<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FinishPieces").finish_non_exhaustive()
    }
}

/// Waits for room, then queues a piece of a message: [`MessageWriter::write`].
#[must_use = "futures do nothing unless polled"]
pub struct WritePiece<'a> {
    half: Option<&'a mut SendHalf>,
    data: Bytes,
}

/// Why a piece was not sent.
#[derive(Clone, Debug)]
pub enum PieceError {
    /// The connection is closing or has ended.
    Ended(Ended),
    /// The message is text and the piece, which this holds, is not UTF-8. Pieces of text must be split between
    /// characters.
    NotText(Bytes),
}

impl fmt::Display for PieceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(ended) => ended.fmt(f),
            Self::NotText(data) => PieceNotWritten::NotText(data.clone()).fmt(f),
        }
    }
}

impl std::error::Error for PieceError {}

impl From<PieceError> for Ended {
    fn from(error: PieceError) -> Self {
        match error {
            PieceError::Ended(ended) => ended,
            PieceError::NotText(_) => Self::ABORTED,
        }
    }
}

impl Future for WritePiece<'_> {
    type Output = Result<(), PieceError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { half, data } = self.get_mut();
        let closing = || Poll::Ready(Err(PieceError::Ended(Ended::ANNOUNCED)));
        let Some(half) = half else { return closing() };
        let mut connection = half.link().lock();
        loop {
            ready!(connection.poll_output(cx, Side::Writer, Until::Fits(data.len())))
                .map_err(PieceError::Ended)?;
            let State::Within(socket) = &mut connection.state else { return closing() };
            match socket.writer().write(std::mem::take(data)) {
                Ok(()) => {
                    connection.leave_to_driver();
                    return Poll::Ready(Ok(()));
                }
                Err(PieceNotWritten::Full(back)) => *data = back,
                Err(PieceNotWritten::NotText(back)) => return Poll::Ready(Err(PieceError::NotText(back))),
            }
        }
    }
}

impl fmt::Debug for WritePiece<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WritePiece({} bytes)", self.data.len())
    }
}
