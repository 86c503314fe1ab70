//! The receiving half.

use alloc::sync::Arc;

use super::engine::Engine;
use super::keep_alive::Jitter;
use super::piece::{NextPiece, Piece, PieceReady};
use crate::ws::closing::Closing;
use crate::ws::event::{Event, Ready};
use crate::ws::failure::Failure;
use crate::ws::limits::Limits;
use crate::ws::send::sender::CloseSent;
use crate::ws::wire::header::Peer;
use crate::{Deadline, Inbox, Instant, Pace};

/// The receiving half of a WebSocket.
///
/// It never writes: what the peer is owed is returned as a value that the [`Sender`](crate::ws::Sender) takes. After the
/// peer's Close or a [`Failure`] nothing more is processed (RFC 6455 7.1.7). [`closing`](Self::closing) ends it, with
/// the proof that our Close is written.
#[derive(Debug)]
#[must_use = "dropping the receiving half drops the connection"]
pub struct Receiver {
    pub(in crate::ws) inbox: Inbox,
    pub(in crate::ws) engine: Engine,
}

impl Receiver {
    pub(in crate::ws) fn new(inbox: Inbox, peer: Peer, limits: Arc<Limits>, jitter: Jitter) -> Self {
        Self { inbox, engine: Engine::new(peer, limits, jitter) }
    }

    /// The inbox for received bytes.
    pub fn inbox(&mut self) -> &mut Inbox {
        &mut self.inbox
    }

    /// Returns a token if an event is ready or due. `None`: read more, or wait until the [`deadline`](Self::deadline).
    ///
    /// This parses the headers of frames and reassembles messages that do not fit in one piece. Polling twice returns
    /// the same. The rest of a message that was begun in pieces ([`poll_piece`](Self::poll_piece)) is skipped.
    #[inline]
    pub fn poll(&mut self) -> Option<Ready> {
        self.engine.poll(&mut self.inbox)
    }

    /// Consumes what is ready.
    ///
    /// # Errors
    ///
    /// A [`Failure`]: the peer broke the protocol or met a limit, or the stream ended without a Close. It comes once,
    /// and nothing comes after it.
    #[inline]
    pub fn event(&mut self, ready: Ready) -> Result<Event<'_>, Failure> {
        self.engine.event(&mut self.inbox, ready)
    }

    /// Polls like [`poll`](Self::poll), but messages come in pieces, as they arrive: nothing is reassembled, and a
    /// message may be as large as [`Limits::streamed_bytes`](crate::ws::Limits::streamed_bytes).
    ///
    /// A caller may alternate between whole messages and pieces. The part of a message that [`poll`](Self::poll) has
    /// gathered becomes its first piece. If the caller polls for a whole message before the [`End`](Piece::End) of one
    /// in pieces, the rest of that message is skipped: it is discarded as it arrives, without a check for UTF-8, and
    /// within the same limits.
    pub fn poll_piece(&mut self) -> Option<NextPiece> {
        self.engine.poll_piece(&mut self.inbox)
    }

    /// Consumes a part of a message that is ready.
    ///
    /// # Errors
    ///
    /// A [`Failure`], as from [`event`](Self::event), if a text message is not UTF-8.
    pub fn piece(&mut self, ready: PieceReady) -> Result<Piece<'_>, Failure> {
        self.engine.piece(&mut self.inbox, ready)
    }

    /// When to poll again even if nothing arrives: read first, then call [`Inbox::dry`].
    pub fn deadline(&self) -> Option<Deadline> {
        self.engine.deadline()
    }

    /// Notes that the caller does not wait for the peer at `now`: time that the application takes does not count
    /// against the peer. The next poll that finds nothing resumes the count.
    pub fn pause(&mut self, now: Instant) {
        self.engine.pause(&mut self.inbox, now);
    }

    /// Sets the pace of messages on this socket, instead of [`Limits::message_pace`], for example if its messages come
    /// in pieces over hours.
    pub fn set_message_pace(&mut self, pace: Pace) {
        self.engine.set_message_pace(pace);
    }

    /// True if the peer's Close or a failure was handed out: nothing more comes.
    pub fn is_over(&self) -> bool {
        self.engine.is_over()
    }

    /// The memory held beyond the inbox, in bytes: for a message in flight, and for what compression keeps of earlier
    /// ones.
    pub fn held_bytes(&self) -> usize {
        self.engine.held_bytes()
    }

    /// Continues with closing, now that our Close is written or was not owed.
    pub fn closing(self, sent: CloseSent) -> Closing {
        Closing::new(self, sent)
    }
}
