//! An open WebSocket, and the right to write.

use alloc::boxed::Box;
use alloc::sync::Arc;

use bytes::Bytes;

use super::answer::Answer;
use super::reader::{Reader, Silent};
use super::writer::Writer;
use crate::closing::{Closing, Grace, Manner};
use crate::io::{Conn, Waits as _};
use crate::ws::Role;
use crate::ws::deflate::Compression;
use crate::ws::failure::Cause;
use crate::ws::limits::SocketLimits;
use crate::ws::receive::engine::{Engine, State};
use crate::ws::receive::event::{Event, Piece};
use crate::ws::receive::keep_alive::Jitter;
use crate::ws::send::message::Full;
use crate::ws::send::sender::Sender;
use crate::ws::wire::close::Close;
use crate::ws::wire::control::Control;
use crate::ws::wire::header::{OpCode, Peer};
use crate::ws::wire::kind::Kind;
use crate::{End, Exceeded, Inbox, Io, Limit, OutboxLimits, Outcome, Pace, Upgraded};

/// An open WebSocket, with the right to write.
///
/// `W` is the right. [`Idle`]: no message has begun, and whole messages can be written. [`Within`]: a message in pieces
/// has begun, and only its pieces can be written. [`close`](Self::close) ends the right: RFC 6455 5.5.1 forbids data
/// after our Close, and only after it.
///
/// It answers pings and keeps the connection alive by itself.
#[derive(Debug)]
#[must_use = "dropping it drops the connection, and the peer gets no Close"]
pub struct Socket<W = Idle> {
    inner: Box<Inner<Sender>>,
    right: W,
}

/// No message has begun.
#[derive(Debug)]
pub struct Idle(());

/// A message in pieces has begun.
#[derive(Debug)]
pub struct Within {
    pub(super) kind: Kind,
    pub(super) next: OpCode,
}

/// A WebSocket on which our Close is written. It receives until the peer's Close, and cannot write.
///
/// The peer has [`SocketLimits::close_time`] for its Close once it has ours, counted in silence, and only while all that has
/// arrived was taken. If its Close has arrived already ([`Socket::answer_close`]), the peer is not waited for, and no
/// time runs: what is held is bounded by [`SocketLimits::received_bytes`] and one message, and the application decides how
/// long. [`discard`](Self::discard) ends it at any time.
#[derive(Debug)]
#[must_use = "dropping it drops the connection"]
pub struct Receiving {
    inner: Box<Inner<Silent>>,
    sent: Close,
    /// Whose Close came first.
    first: End,
}

#[derive(Debug)]
struct Inner<D> {
    conn: Conn,
    reader: Reader<D>,
    subprotocol: Option<Box<str>>,
}

impl Socket {
    /// Makes a socket of a connection whose handshake was done elsewhere.
    pub fn over(
        role: Role,
        upgraded: Upgraded,
        limits: Arc<SocketLimits>,
        jitter: Jitter,
        subprotocol: Option<Box<str>>,
    ) -> Self {
        Self::new(upgraded.into_conn(), role, limits, jitter, subprotocol)
    }

    /// Makes a socket whose handshake was done by another library. `leftover` holds the bytes that arrived after the
    /// handshake, which are received first.
    pub fn from_parts(
        role: Role,
        leftover: Bytes,
        limits: Arc<SocketLimits>,
        output: impl Into<Arc<OutboxLimits>>,
        jitter: Jitter,
        subprotocol: Option<Box<str>>,
    ) -> Self {
        let inbox = Inbox::with_leftover(leftover, limits.received());
        Self::new(Conn::new(inbox, output), role, limits, jitter, subprotocol)
    }

    pub(crate) fn new(
        mut conn: Conn,
        role: Role,
        limits: Arc<SocketLimits>,
        jitter: Jitter,
        subprotocol: Option<Box<str>>,
    ) -> Self {
        conn.inbox.set_limit(limits.received());
        conn.inbox.forget_silence();
        let (peer, masks) = match role {
            Role::Client(masks) => (Peer::Server, Some(masks)),
            Role::Server => (Peer::Client, None),
        };
        let reader = Reader::new(Engine::new(peer, limits, jitter), Sender::new(masks));
        Self { inner: Box::new(Inner { conn, reader, subprotocol }), right: Idle(()) }
    }

    /// Compresses messages from now on, as agreed in a handshake that was done elsewhere. A handshake of this crate
    /// sets this itself.
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, agreement: &crate::ws::Agreement) -> Self {
        let Reader { engine, duty: sender, .. } = &mut self.inner.reader;
        engine.deflate = Some(crate::ws::deflate::Receiving::new(agreement));
        sender.compress(agreement);
        self
    }

    /// Answers the peer's Close if it has arrived, although messages before it were not taken yet: RFC 6455 5.5.1 wants
    /// the answer as soon as practical. What was received before it can still be taken.
    ///
    /// Ask after each [`Io::read_ahead`], and after a [`read`](Io::read) if the application does not take all that is
    /// ready. It costs little if nothing new has arrived. Within a message in pieces, [`finish`](Socket::finish) it
    /// first: the answer can wait until the message is sent.
    ///
    /// The Close is seen as soon as it fits into the inbox with what is unread before it:
    /// [`SocketLimits::received_bytes`], by default 128 KiB, or at most 21,845 frames of a client. Beyond that the peer waits,
    /// as for any data that is not taken, and no time runs against it.
    ///
    /// # Errors
    ///
    /// Returns the socket if no Close has arrived.
    pub fn answer_close(mut self) -> Result<Receiving, Self> {
        let Inner { conn, reader, .. } = &mut *self.inner;
        match reader.received_close(conn) {
            Some(theirs) => Ok(self.ends(Some(answer_to(&theirs)), End::Theirs)),
            None => Err(self),
        }
    }

    /// Starts a message that is written in pieces. It is compressed if compression was agreed on.
    pub fn begin(self, kind: Kind) -> Socket<Within> {
        self.begins(kind, Compression::default())
    }

    /// Starts a message that is written in pieces, and sets whether it is compressed, whatever its size.
    #[cfg(feature = "deflate")]
    pub fn begin_with(self, kind: Kind, compression: Compression) -> Socket<Within> {
        self.begins(kind, compression)
    }

    fn begins(mut self, kind: Kind, compression: Compression) -> Socket<Within> {
        self.inner.reader.duty.begin_fragments(compression);
        Socket { inner: self.inner, right: Within { kind, next: OpCode::of_kind(kind) } }
    }
}

impl Socket<Within> {
    /// Ends the message in pieces.
    ///
    /// # Errors
    ///
    /// Returns the socket, still within the message, if no piece was written and a byte of data does not
    /// [fit](Writer::fits) now: otherwise messages without content would be queued without a bound.
    pub fn finish(mut self) -> Result<Socket, Full<Self>> {
        let Inner { conn, reader, .. } = &mut *self.inner;
        let is_empty = self.right.next != OpCode::Continuation;
        if is_empty && !Sender::fits(1, &conn.outbox) {
            return Err(Full(self));
        }
        reader.duty.end_fragments(self.right.next.last(), &mut conn.outbox);
        Ok(Socket { inner: self.inner, right: Idle(()) })
    }
}

impl<W> Socket<W> {
    /// The transport's side.
    pub fn io(&mut self) -> Io<'_> {
        Io::new(&mut self.inner.conn, &mut self.inner.reader)
    }

    /// The agreed subprotocol.
    pub fn subprotocol(&self) -> Option<&str> {
        self.inner.subprotocol.as_deref()
    }

    /// True if there is an event. Consumes nothing. The rest of a message that was begun in pieces is skipped.
    #[inline]
    pub fn ready(&mut self) -> bool {
        self.inner.reader.is_ready(&mut self.inner.conn)
    }

    /// Takes the next event. `None` if nothing is there.
    #[inline]
    pub fn event(&mut self) -> Option<Event<'_>> {
        self.split().0
    }

    /// Takes the next event, and lends the right to write beside it: an echoed message is copied once and needs no owned
    /// value.
    #[expect(clippy::inline_always, reason = "each message passes it, and a call would move the event")]
    #[inline(always)]
    pub fn split(&mut self) -> (Option<Event<'_>>, Writer<'_, W>) {
        let Inner { conn, reader, .. } = &mut *self.inner;
        let ready = reader.poll(conn);
        let Reader { engine, duty: sender, .. } = reader;
        let event = Reader::event(engine, sender, (&mut conn.inbox, &mut conn.outbox), ready);
        (event, Writer::new(sender, &mut conn.outbox, &mut self.right))
    }

    /// True if there is a part of a message, or something beside it. Consumes nothing.
    pub fn ready_piece(&mut self) -> bool {
        self.inner.reader.is_piece_ready(&mut self.inner.conn)
    }

    /// Takes the next part of a message, or what comes beside it. `None` if nothing is there.
    ///
    /// Nothing is reassembled, and a message may be as large as [`SocketLimits::streamed_bytes`]. A caller may alternate between
    /// whole messages and pieces. The part of a message that [`event`](Self::event) has gathered becomes its first
    /// piece. If the caller asks for a whole message before the end of one in pieces, the rest of that message is skipped:
    /// it is discarded as it arrives, without a check for UTF-8, and within the same limits.
    pub fn piece(&mut self) -> Option<Piece<'_>> {
        self.split_piece().0
    }

    /// Takes the next part of a message, and lends the right to write beside it.
    pub fn split_piece(&mut self) -> (Option<Piece<'_>>, Writer<'_, W>) {
        let Inner { conn, reader, .. } = &mut *self.inner;
        let next = reader.poll_piece(conn);
        let Reader { engine, duty: sender, .. } = reader;
        let piece = Reader::piece(engine, sender, (&mut conn.inbox, &mut conn.outbox), next);
        (piece, Writer::new(sender, &mut conn.outbox, &mut self.right))
    }

    /// The writing side.
    #[inline]
    pub fn writer(&mut self) -> Writer<'_, W> {
        let Inner { conn, reader, .. } = &mut *self.inner;
        Writer::new(&mut reader.duty, &mut conn.outbox, &mut self.right)
    }

    /// Writes a Ping.
    ///
    /// # Errors
    ///
    /// Returns the payload if even the reserve for control frames is full.
    pub fn ping<'p>(&mut self, payload: Control<'p>) -> Result<(), Full<Control<'p>>> {
        let Inner { conn, reader, .. } = &mut *self.inner;
        reader.duty.ping(payload, &mut conn.outbox)
    }

    /// Sets the pace of messages on this socket, instead of [`SocketLimits::message_pace`], for example if its messages come
    /// in pieces over hours.
    pub fn set_message_pace(&mut self, pace: Pace) {
        self.inner.reader.engine.set_message_pace(pace);
    }

    /// True if compression was agreed on, with a window that our compressor supports.
    #[cfg(feature = "deflate")]
    pub fn deflates(&self) -> bool {
        self.inner.reader.duty.deflates()
    }

    /// True if the peer has not answered a keep-alive ping, although there was room for what it sends, while messages
    /// that came before are not taken. They can still be, and the failure comes after them.
    pub fn is_lost(&self) -> bool {
        self.inner.reader.is_lost()
    }

    /// True if there is now what [`ready`](Self::ready) or [`ready_piece`](Self::ready_piece) was asked for last: so a
    /// driver knows whether it is worth asking again. Consumes nothing.
    pub fn ready_again(&mut self) -> bool {
        let Inner { conn, reader, .. } = &mut *self.inner;
        reader.is_ready_again(conn)
    }

    /// True if the last [`ready`](Self::ready) or [`ready_piece`](Self::ready_piece) was false only because the rest
    /// would take long: at most 128 KiB are decompressed at once, a quarter of a millisecond of work. Ask again, and let
    /// other connections do their work before.
    pub fn is_busy(&self) -> bool {
        self.inner.reader.is_busy()
    }

    /// The memory held beyond what is unread and what is queued, in bytes: for a message in flight, and for what
    /// compression keeps of earlier ones.
    pub fn held_bytes(&self) -> usize {
        let Reader { engine, duty: sender, .. } = &self.inner.reader;
        engine.held_bytes().saturating_add(sender.held_bytes())
    }

    /// Writes our Close, the last frame, and discards what the peer still sends.
    ///
    /// After the peer's Close it answers with the peer's code (RFC 6455 5.5.1), and after a failure it tells the peer the
    /// reason (7.1.7): `close` is for a socket that closes by itself. In the middle of a message in pieces the peer discards
    /// that message.
    pub fn close(self, close: Close) -> Closing {
        self.close_writing(close).discard()
    }

    /// Writes our Close as [`close`](Self::close) does, and goes on receiving.
    pub fn close_writing(self, close: Close) -> Receiving {
        let (first, sent) = match &self.inner.reader.engine.state {
            State::Closed(theirs) => (End::Theirs, Some(answer_to(theirs))),
            // At the end of the stream nobody is left to tell.
            State::Failing(cause) | State::Failed(cause) => (End::Ours, cause.owed()),
            State::Idle
            | State::Begun
            | State::Started
            | State::Message(_)
            | State::HandedOut(_)
            | State::Discarding(_) => match &self.inner.reader.lost {
                Some(lost) => (End::Ours, Cause::from(Exceeded::clone(lost)).owed()),
                None => (End::Ours, Some(close)),
            },
        };
        self.ends(sent, first)
    }

    /// Ends the right to write: with our Close, or without one if the stream has ended.
    fn ends(self, sent: Option<Close>, first: End) -> Receiving {
        let Inner { mut conn, mut reader, subprotocol } = *self.inner;
        reader.engine.stop_pinging();
        let (reader, sender) = reader.with_duty(Silent::default());
        if let Some(sent) = &sent {
            sender.close(sent, &mut conn.outbox);
        }
        let sent = sent.unwrap_or(Close::EMPTY);
        Receiving { inner: Box::new(Inner { conn, reader, subprotocol }), sent, first }
    }
}

impl Receiving {
    /// The transport's side.
    pub fn io(&mut self) -> Io<'_> {
        Io::new(&mut self.inner.conn, &mut self.inner.reader)
    }

    /// True if there is an event. Consumes nothing.
    pub fn ready(&mut self) -> bool {
        self.inner.reader.is_ready(&mut self.inner.conn)
    }

    /// Takes the next event. A Ping is not answered any more.
    pub fn event(&mut self) -> Option<Event<'_>> {
        let Inner { conn, reader, .. } = &mut *self.inner;
        let ready = reader.poll(conn);
        let Reader { engine, duty, .. } = reader;
        Reader::event(engine, duty, (&mut conn.inbox, &mut conn.outbox), ready)
    }

    /// True if there is a part of a message, or something beside it. Consumes nothing.
    pub fn ready_piece(&mut self) -> bool {
        self.inner.reader.is_piece_ready(&mut self.inner.conn)
    }

    /// Takes the next part of a message, or what comes beside it.
    pub fn piece(&mut self) -> Option<Piece<'_>> {
        let Inner { conn, reader, .. } = &mut *self.inner;
        let next = reader.poll_piece(conn);
        let Reader { engine, duty, .. } = reader;
        Reader::piece(engine, duty, (&mut conn.inbox, &mut conn.outbox), next)
    }

    /// True if there is now what [`ready`](Self::ready) or [`ready_piece`](Self::ready_piece) was asked for last: so a
    /// driver knows whether it is worth asking again. Consumes nothing.
    pub fn ready_again(&mut self) -> bool {
        let Inner { conn, reader, .. } = &mut *self.inner;
        reader.is_ready_again(conn)
    }

    /// True if the last [`ready`](Self::ready) or [`ready_piece`](Self::ready_piece) was false only because the rest
    /// would take long: at most 128 KiB are decompressed at once, a quarter of a millisecond of work. Ask again, and let
    /// other connections do their work before.
    pub fn is_busy(&self) -> bool {
        self.inner.reader.is_busy()
    }

    /// The memory held beyond what is unread and what is queued, in bytes, as of a [`Socket`](Socket::held_bytes).
    pub fn held_bytes(&self) -> usize {
        self.inner.reader.engine.held_bytes()
    }

    /// Discards what the peer still sends, and closes.
    pub fn discard(self) -> Closing {
        let Inner { conn, reader: Reader { engine, lost, .. }, .. } = *self.inner;
        let grace = Grace { time: engine.limits.close_time, reason: Limit::CloseTime };
        // RFC 6455 7.1.1: the server closes TCP first.
        let manner = match engine.peer {
            Peer::Client => Manner::First(grace),
            Peer::Server => Manner::Second(grace),
        };
        let ended = match &engine.state {
            State::Closed(received) => {
                Outcome::Closed { first: self.first, sent: self.sent, received: Close::clone(received) }
            }
            State::Failed(cause) | State::Failing(cause) => Cause::clone(cause).into(),
            State::Idle
            | State::Begun
            | State::Started
            | State::Message(_)
            | State::HandedOut(_)
            | State::Discarding(_) => match lost {
                // It answered no ping: it is not asked for a Close too.
                Some(lost) => Outcome::Exceeded(*lost),
                None => return Closing::answered(conn, Answer::new(engine, self.sent, self.first), manner),
            },
        };
        Closing::new(conn, ended, manner)
    }
}

/// RFC 6455 5.5.1: the answer to a Close has its code.
fn answer_to(theirs: &Close) -> Close {
    theirs.code().map_or(Close::EMPTY, Close::from)
}

const _: () = assert!(size_of::<Socket>() == size_of::<usize>());
