//! The one door for bytes and time.

use alloc::sync::Arc;

use bytes::{Buf, BytesMut};

use crate::{Deadline, Exceeded, Inbox, Instant, Outbox, OutboxLimits, Pace};

/// What every connection has, whatever it speaks: the bytes that came, and the bytes to send.
#[derive(Debug)]
pub(crate) struct Conn {
    pub(crate) inbox: Inbox,
    pub(crate) outbox: Outbox,
    /// The time of the last look at the transport.
    pub(crate) now: Instant,
    /// A lower layer holds bytes back that it has taken.
    held_back: bool,
}

impl Conn {
    pub(crate) fn new(inbox: Inbox, limits: impl Into<Arc<OutboxLimits>>) -> Self {
        Self { inbox, outbox: Outbox::new(limits.into()), now: Instant::default(), held_back: false }
    }

    /// True while what was written is still on its way to the peer: no answer can be late.
    pub(crate) fn is_unsent(&mut self, now: Instant, ask: Ask<'_>) -> bool {
        self.held_back || self.outbox.is_on_its_way(now, || ask.unacknowledged())
    }

    /// True if all that was queued is on its way.
    pub(crate) fn is_written(&self) -> bool {
        self.outbox.is_empty() && !self.held_back
    }
}

/// A state that waits for its peer. Each state of a connection is one, so that [`Io`] can judge the time of all.
pub(crate) trait Waits {
    /// Judges a look at `now` that found nothing. True if the state has something new to tell, since a limit is met.
    fn found_nothing(&mut self, conn: &mut Conn, now: Instant, ask: Ask<'_>) -> bool;

    /// Notes that the application does not wait for the peer at `now`: what the peer may take its time with stands still
    /// until the next look that finds nothing.
    fn pause(&mut self, conn: &mut Conn, now: Instant);

    /// When a look that finds nothing would have something to tell.
    fn deadline(&self, conn: &Conn) -> Option<Deadline>;

    /// True if the last question to the state has left work undone that needs no further bytes.
    fn is_busy(&self) -> bool {
        false
    }

    /// Notes that the transport has taken bytes.
    fn wrote(&mut self, _conn: &mut Conn) {}

    /// True if the state goes on after the stream broke off.
    fn outlives_cut(&self) -> bool {
        false
    }
}

/// How many of the bytes that the transport has taken the peer has not acknowledged, where the system can tell.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a>(Option<&'a dyn Fn() -> Option<u64>>);

impl Ask<'_> {
    pub(crate) fn unacknowledged(self) -> Option<u64> {
        self.0.and_then(|ask| ask())
    }

    /// True if the driver has no means to ask.
    pub(crate) fn is_vain(self) -> bool {
        self.0.is_none()
    }
}

/// The transport's side of a connection, in whatever state: received bytes, bytes to send, the end of the stream, and
/// the time. There is no other door for any of these.
///
/// A driver alternates between the state and its `Io`: it takes from the state what is there, [writes](Self::write)
/// until nothing is left or the transport takes nothing more, [reads](Self::read) once, and begins again. It waits when
/// the read found nothing, and no longer than until the deadlines that this read and the last write returned. [The
/// guide](crate::guide) has the rest.
pub struct Io<'a> {
    conn: &'a mut Conn,
    waits: &'a mut dyn Waits,
    ask: Ask<'a>,
}

/// What a look at the transport found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// This many bytes, in the first part of the room. Zero counts as [`Nothing`](Self::Nothing), and more than the room
    /// counts as all of it.
    Bytes(usize),
    /// No byte is there now.
    Nothing,
    /// The peer has ended its stream. Over TLS: with a close_notify.
    End,
    /// The stream broke off, and bytes may be missing: TLS ended without a close_notify (RFC 8446 6.1).
    Cut,
}

/// What to do after a [read](Io::read).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Arrived {
    /// Ask the state, then write: bytes arrived, the stream ended, a limit is met, or an answer is queued, such as a Pong.
    /// For a limit it may come only once, so ask before the next read.
    Something,
    /// Wait until more arrives, and no longer than until the deadline. Then read again.
    Nothing(Option<Deadline>),
    /// Nothing fits until the state has been asked. If it still waits then, it waits until the transport takes more of
    /// what is queued, or until the application takes what has arrived.
    Full,
    /// The stream broke off. Ask the state: between two messages of HTTP nothing is missing, so this is the end (RFC 9112
    /// 9.8). A state that still waits has lost its peer: drop it. Reading again returns this again, except from
    /// [`Closing`](crate::Closing), which can still write.
    Cut,
}

/// What to do after a [write](Io::write).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Wrote {
    /// The transport took bytes: write again.
    Something,
    /// Nothing is left to write.
    Empty,
    /// The transport takes nothing now, or what is left must not go out yet. Write again when the transport takes more,
    /// and no later than at the deadline.
    Blocked(Option<Deadline>),
    /// The peer takes too little for too long: reset the connection.
    Stalled(Exceeded),
}

impl<'a> Io<'a> {
    pub(crate) fn new(conn: &'a mut Conn, waits: &'a mut dyn Waits) -> Self {
        Self { conn, waits, ask: Ask(None) }
    }

    /// Sets how to learn the number of bytes that the transport has taken and the peer has not acknowledged, where the
    /// system can tell.
    ///
    /// It is asked rarely, and only before a limit is judged: bytes that lie in a buffer of this machine are not the
    /// peer's silence. Without it, what the transport has taken counts as received. The number may exceed what was
    /// taken, since lower layers add bytes.
    #[must_use]
    pub fn unacknowledged(self, ask: &'a dyn Fn() -> Option<u64>) -> Self {
        Self { ask: Ask(Some(ask)), ..self }
    }

    /// Reads once, because the caller waits for the peer.
    ///
    /// `look` reads into the room that it is given. A limit is met only when such a look finds nothing, so bytes that
    /// wait unread in the kernel never count as silence. After the end of the stream, `look` is not called again.
    ///
    /// Time does not go back: an earlier `now` than that of the last read or write counts as that one.
    ///
    /// # Errors
    ///
    /// Those of `look`.
    pub fn read<E>(
        &mut self,
        now: Instant,
        look: impl FnOnce(&mut [u8]) -> Result<Look, E>,
    ) -> Result<Arrived, E> {
        let found = self.look(now, look)?;
        if self.conn.inbox.is_cut() && !self.waits.outlives_cut() {
            return Ok(Arrived::Cut);
        }
        let now = self.conn.now;
        Ok(match found {
            None if self.waits.is_busy() => Arrived::Something,
            None => self.pause(Arrived::Full),
            Some(Look::Bytes(1..) | Look::End) => Arrived::Something,
            Some(Look::Cut) => Arrived::Cut,
            Some(Look::Bytes(0) | Look::Nothing) => {
                self.conn.inbox.dry(now);
                if self.waits.found_nothing(self.conn, now, self.ask) {
                    Arrived::Something
                } else {
                    Arrived::Nothing(self.waits.deadline(self.conn))
                }
            }
        })
    }

    /// Reads once, though the caller does not wait for the peer.
    ///
    /// No limit is met. The time for the first byte of a head begins anew with the next [`read`](Self::read), and that for
    /// going on with a body or a message stands still until then. All others run on, and that read judges them: those for
    /// the rest of a head, for a pong and for a close, and how long a client's connection stays unused.
    ///
    /// Returns [`Arrived::Nothing`] without a deadline. If it finds nothing or has no room, a WebSocket answers the pings
    /// that have arrived and were not taken: that is [`Arrived::Something`].
    ///
    /// # Errors
    ///
    /// Those of `look`.
    pub fn read_ahead<E>(
        &mut self,
        now: Instant,
        look: impl FnOnce(&mut [u8]) -> Result<Look, E>,
    ) -> Result<Arrived, E> {
        Ok(match self.look(now, look)? {
            None => self.pause(Arrived::Full),
            Some(Look::Bytes(0) | Look::Nothing) => self.pause(Arrived::Nothing(None)),
            Some(Look::Bytes(1..) | Look::End) => Arrived::Something,
            Some(Look::Cut) => Arrived::Cut,
        })
    }

    /// Notes that the peer is not waited for. Returns `arrived`, unless that has queued an answer.
    fn pause(&mut self, arrived: Arrived) -> Arrived {
        let queued = self.conn.outbox.len();
        let now = self.conn.now;
        self.waits.pause(self.conn, now);
        if self.conn.outbox.len() > queued { Arrived::Something } else { arrived }
    }

    /// Looks once. `None` if nothing fits.
    fn look<E>(
        &mut self,
        now: Instant,
        look: impl FnOnce(&mut [u8]) -> Result<Look, E>,
    ) -> Result<Option<Look>, E> {
        let Conn { inbox, outbox, now: last, .. } = &mut *self.conn;
        *last = now.max(*last);
        if inbox.is_over() {
            return Ok(Some(Look::Nothing));
        }
        let room = inbox.room();
        let most = room.len();
        if most == 0 {
            return Ok(None);
        }
        let found = look(room)?;
        match found {
            Look::Bytes(0) | Look::Nothing => return Ok(Some(found)),
            Look::Bytes(len) => inbox.filled(len.min(most)),
            Look::End => inbox.end(),
            Look::Cut => {
                inbox.cut();
            }
        }
        outbox.arrived();
        Ok(Some(found))
    }

    /// Writes once.
    ///
    /// `put` is given the queued bytes, in order, in as few slices as possible, and returns how many of them the
    /// transport took; `None` if it takes nothing now.
    ///
    /// # Errors
    ///
    /// Those of `put`.
    pub fn write<E>(
        &mut self,
        now: Instant,
        put: impl FnOnce(&mut dyn Iterator<Item = &[u8]>) -> Result<Option<usize>, E>,
    ) -> Result<Wrote, E> {
        let Self { conn: Conn { outbox, now: last, .. }, ask, .. } = self;
        *last = now.max(*last);
        let now = *last;
        if outbox.is_held() {
            // Ends the hold if its time is over.
            if let Err(exceeded) = outbox.poll(now, || ask.unacknowledged()) {
                return Ok(Wrote::Stalled(exceeded));
            }
        }
        if outbox.is_empty() {
            return Ok(Wrote::Empty);
        }
        if outbox.remaining() > 0 {
            let taken = put(&mut outbox.chunks())?;
            if let Some(taken @ 1..) = taken {
                outbox.advance(taken);
                self.waits.wrote(self.conn);
                return Ok(Wrote::Something);
            }
            if let Err(exceeded) = outbox.poll(now, || ask.unacknowledged()) {
                return Ok(Wrote::Stalled(exceeded));
            }
        }
        Ok(Wrote::Blocked(self.conn.outbox.deadline()))
    }

    /// The number of bytes to send that the transport has not taken.
    pub fn queued(&self) -> usize {
        self.conn.outbox.len()
    }

    /// The number of bytes that can be queued now.
    pub fn room(&self) -> usize {
        self.conn.outbox.room()
    }

    /// True if part of what is queued is [held back](crate::http::server::Exchange::proceed) until the peer has
    /// reacted to the part before it: keep reading, even while the application does not wait for the peer.
    pub fn is_held(&self) -> bool {
        self.conn.outbox.is_held()
    }

    /// Sets whether a layer below the transport holds back bytes that it has taken, such as an encrypted record. Until it
    /// has passed them on, they are not written: no answer to them is late, and no end comes before them.
    ///
    /// No limit runs for these bytes here, since this layer's progress cannot be seen: the driver must bound the time.
    pub fn set_held_back(&mut self, held_back: bool) {
        self.conn.held_back = held_back;
    }

    /// Discards what is queued, because the transport takes nothing more. It counts as sent, although the peer does not get it.
    pub fn discard_output(&mut self) {
        self.conn.outbox.discard();
    }

    /// The number of bytes that the transport has taken so far.
    pub fn sent(&self) -> u64 {
        self.conn.outbox.sent()
    }

    /// The number of received bytes that the state has not consumed.
    pub fn unread(&self) -> usize {
        self.conn.inbox.len()
    }

    /// True if the stream has ended, or broke off.
    pub fn has_ended(&self) -> bool {
        self.conn.inbox.is_over()
    }

    /// The moment of the first look that found nothing behind the last byte. `None` if more may be there already, or the
    /// stream has ended.
    pub fn silent_since(&self) -> Option<Instant> {
        self.conn.inbox.silent_since()
    }

    /// True if what is queued has passed [`OutboxLimits::high_water`]: a driver that also produces output by itself
    /// stops there.
    pub fn is_above_high_water(&self) -> bool {
        self.conn.outbox.is_above_high_water()
    }

    /// [`OutboxLimits::high_water`].
    pub fn high_water(&self) -> usize {
        self.conn.outbox.limits().high_water
    }

    /// Sets the pace at which the peer must take what is queued from now on, instead of [`OutboxLimits::pace`], for
    /// example for one large download. `None` restores the pace of the limits.
    pub fn set_output_pace(&mut self, pace: Option<Pace>) {
        self.conn.outbox.set_pace(pace);
    }

    /// The pace at which the peer must take what is queued.
    pub fn output_pace(&self) -> &Pace {
        self.conn.outbox.pace()
    }

    /// Lends a buffer to read into. Its whole length counts as room, and its content is ignored. An idle connection
    /// holds no buffer if each is lent for a read and [reclaimed](Self::reclaim) before the task waits.
    ///
    /// Its capacity should be that of its whole allocation: [`Payload::take`](crate::Payload::take) shares the buffer only
    /// if that keeps little more alive than the payload.
    ///
    /// # Errors
    ///
    /// Returns the buffer if the connection needs none, or if what is unread does not fit.
    pub fn lend(&mut self, buffer: BytesMut) -> Result<(), BytesMut> {
        self.conn.inbox.lend(buffer)
    }

    /// Takes the read buffer back; what is unread moves into memory of its own size. `None` if there is none to spare.
    ///
    /// It is shorter than when it was lent if [`Payload::take`](crate::Payload::take) has shared a part of it. Drop it
    /// then: the rest would keep the whole allocation alive wherever it is lent next.
    pub fn reclaim(&mut self) -> Option<BytesMut> {
        self.conn.inbox.reclaim()
    }

    /// True if a read would have room without allocating.
    pub fn has_room(&self) -> bool {
        self.conn.inbox.has_room()
    }

    /// Lends memory for what is to be sent. Its content is dropped.
    ///
    /// # Errors
    ///
    /// Returns the memory if the connection holds some already.
    pub fn lend_output(&mut self, memory: alloc::vec::Vec<u8>) -> Result<(), alloc::vec::Vec<u8>> {
        self.conn.outbox.lend(memory)
    }

    /// True if the connection holds memory for what is to be sent.
    pub fn is_output_lent(&self) -> bool {
        self.conn.outbox.is_lent()
    }

    /// Takes the memory for what is to be sent back; what is unsent moves into memory of its own size. `None` if there
    /// is none to spare.
    pub fn reclaim_output(&mut self) -> Option<alloc::vec::Vec<u8>> {
        self.conn.outbox.reclaim()
    }
}

impl core::fmt::Debug for Io<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Io").field(&self.conn).finish()
    }
}
