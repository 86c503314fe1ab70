//! Receives, and pays at once what the peer is owed for it.

use alloc::boxed::Box;

use crate::io::{Ask, Conn, Waits};
use crate::since::Since;
use crate::ws::receive::engine::{Engine, Look, State};
use crate::ws::receive::event::{Event, Piece};
use crate::ws::receive::keep_alive::Silence;
use crate::ws::receive::message::Reception;
use crate::ws::receive::ready::{Beside, Signal, What, Whole};
use crate::ws::send::sender::Sender;
use crate::ws::wire::close::Close;
use crate::ws::wire::control::Control;
use crate::{Deadline, Exceeded, Inbox, Instant, Limit, Outbox};

/// The receiving side of a socket. `D` is what it owes the peer: everything, or nothing after our Close.
#[derive(Debug)]
pub(super) struct Reader<D> {
    pub(super) engine: Engine,
    pub(super) duty: D,
    /// How the caller takes messages.
    reception: Reception,
    left: Left,
    /// Nothing came after a ping, while what had arrived was not taken: the failure once it is.
    pub(super) lost: Option<Box<Exceeded>>,
}

/// What the last look has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Nothing,
    /// Something was ready when the transport had nothing more, so the caller does not wait for it.
    Ready,
    /// There is more to decompress than is done at once.
    Work,
}

/// Our Close is written: the peer is owed nothing more.
#[derive(Debug, Default)]
pub(super) struct Silent {
    /// When the peer was first seen to have our Close.
    since: Since,
}

/// What the receiving side owes the peer.
pub(super) trait Duty {
    fn pong(&mut self, payload: &Control<'_>, outbox: &mut Outbox);

    /// Sends the keep-alive ping that is due.
    fn keep_alive(&mut self, outbox: &mut Outbox);

    /// Writes what did not fit before.
    fn settle(&mut self, outbox: &mut Outbox);

    /// Judges the silence of the peer at `now`.
    fn judge(&mut self, engine: &Engine, conn: &mut Conn, now: Instant, ask: Ask<'_>)
    -> Result<(), Exceeded>;

    /// When the silence of the peer is judged.
    fn deadline(&self, engine: &Engine, inbox: &Inbox) -> Option<Deadline>;
}

impl Duty for Sender {
    fn pong(&mut self, payload: &Control<'_>, outbox: &mut Outbox) {
        self.pong(payload, outbox);
    }

    fn keep_alive(&mut self, outbox: &mut Outbox) {
        self.keep_alive(outbox);
    }

    #[inline]
    fn settle(&mut self, outbox: &mut Outbox) {
        self.settle(outbox);
    }

    fn judge(&mut self, _: &Engine, _: &mut Conn, _: Instant, _: Ask<'_>) -> Result<(), Exceeded> {
        Ok(())
    }

    fn deadline(&self, _: &Engine, _: &Inbox) -> Option<Deadline> {
        None
    }
}

impl Duty for Silent {
    fn pong(&mut self, _: &Control<'_>, _: &mut Outbox) {}

    fn keep_alive(&mut self, _: &mut Outbox) {}

    fn settle(&mut self, _: &mut Outbox) {}

    /// RFC 6455 5.5.1: the peer answers our Close as soon as it can. So silence counts once it has it.
    fn judge(
        &mut self,
        engine: &Engine,
        conn: &mut Conn,
        now: Instant,
        ask: Ask<'_>,
    ) -> Result<(), Exceeded> {
        if !conn.outbox.is_empty() {
            return Ok(());
        }
        self.since.start(now);
        if self.deadline(engine, &conn.inbox).is_none_or(|deadline| now < deadline.at) {
            return Ok(());
        }
        let time = engine.limits.close_time;
        // No time at all cannot begin again: it would be over at once, again and again.
        if !time.is_zero() && conn.is_unsent(now, ask) {
            self.since.restart_at(now);
            return Ok(());
        }
        Err(Exceeded::time(Limit::CloseTime, time))
    }

    fn deadline(&self, engine: &Engine, inbox: &Inbox) -> Option<Deadline> {
        let time = engine.limits.close_time;
        let silent = inbox.silent_since()?.saturating_add(time);
        Some(Deadline { at: self.since.end(time)?.max(silent), reason: Limit::CloseTime })
    }
}

impl<D> Reader<D> {
    pub(super) fn new(engine: Engine, duty: D) -> Self {
        Self { engine, duty, reception: Reception::Whole, left: Left::Nothing, lost: None }
    }

    /// Gives the receiving side another duty. Returns the one that it had.
    pub(super) fn with_duty<E>(self, next: E) -> (Reader<E>, D) {
        let Self { engine, duty, reception, left, lost } = self;
        (Reader { engine, duty: next, reception, left, lost }, duty)
    }

    fn has_failed(&self) -> bool {
        matches!(self.engine.state, State::Failing(_) | State::Failed(_))
    }
}

impl<D: Duty> Reader<D> {
    /// What is ready, if anything is. Pings that are due are on their way then.
    #[inline]
    pub(super) fn poll(&mut self, conn: &mut Conn) -> Option<What> {
        match self.engine.poll_quickly(&conn.inbox) {
            None => self.poll_slowly(conn, Reception::Whole),
            ready => ready,
        }
    }

    /// As [`poll`](Self::poll), where messages come in pieces.
    pub(super) fn poll_piece(&mut self, conn: &mut Conn) -> Option<What> {
        self.poll_slowly(conn, Reception::Pieces)
    }

    #[inline(never)]
    fn poll_slowly(&mut self, conn: &mut Conn, reception: Reception) -> Option<What> {
        self.reception = reception;
        self.duty.settle(&mut conn.outbox);
        self.left = Left::Nothing;
        loop {
            match self.engine.poll_slowly(&mut conn.inbox, reception) {
                Look::Ready(what) => return Some(what),
                Look::Nothing => {
                    let lost = self.lost.take()?;
                    self.engine.state = State::Failing(Box::new((*lost).into()));
                    return Some(What::Failing);
                }
                Look::Later => {
                    self.left = Left::Work;
                    return None;
                }
                Look::PingDue(now) => self.ping(conn, now),
            }
        }
    }

    fn ping(&mut self, conn: &mut Conn, now: Instant) {
        self.engine.keep_alive.pinged(now, conn.outbox.written());
        self.duty.keep_alive(&mut conn.outbox);
    }

    /// Judges the silence of the peer while something that has arrived is not taken. There is room for an answer, so a
    /// peer that is there would be heard.
    fn judge_behind(&mut self, conn: &mut Conn, now: Instant) {
        let (Some(since), None) = (conn.inbox.silent_since(), &self.lost) else { return };
        match self.engine.keep_alive.poll(now, since, &self.engine.limits) {
            Silence::Fine => {}
            Silence::PingDue => self.ping(conn, now),
            Silence::TooLong(exceeded) => self.lost = Some(Box::new(exceeded)),
        }
    }

    /// True if the peer did not answer a ping, while what it has sent before was not taken.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.is_some()
    }

    /// True if there is an event: something arrived, or everything ended.
    #[inline]
    pub(super) fn is_ready(&mut self, conn: &mut Conn) -> bool {
        self.poll(conn).is_some() || self.engine.is_over()
    }

    /// True if there is what was asked for last: an event, or a part of a message.
    pub(super) fn is_ready_again(&mut self, conn: &mut Conn) -> bool {
        match self.reception {
            Reception::Whole => self.is_ready(conn),
            Reception::Pieces => self.is_piece_ready(conn),
        }
    }

    pub(super) fn is_piece_ready(&mut self, conn: &mut Conn) -> bool {
        self.poll_piece(conn).is_some() || self.engine.is_over()
    }

    /// Takes the next event.
    #[expect(clippy::inline_always, reason = "each message passes it, and a call would move the event")]
    #[inline(always)]
    pub(super) fn event<'a>(
        engine: &'a mut Engine,
        duty: &mut D,
        (inbox, outbox): (&'a mut Inbox, &mut Outbox),
        ready: Option<What>,
    ) -> Option<Event<'a>> {
        match ready {
            Some(What::Message(kind, frame)) => engine.message(inbox, kind, frame),
            Some(What::Gathered) => engine.gathered(),
            Some(What::Control(signal, frame)) => {
                Self::control(engine, duty, (inbox, outbox), signal, frame).map(Event::from)
            }
            Some(What::Failing) | None => engine.end().map(Event::from),
            // A poll for whole messages finds no piece.
            Some(What::Piece(_)) => None,
        }
    }

    /// Takes the next part of a message, or what comes beside it.
    pub(super) fn piece<'a>(
        engine: &'a mut Engine,
        duty: &mut D,
        (inbox, outbox): (&'a mut Inbox, &mut Outbox),
        ready: Option<What>,
    ) -> Option<Piece<'a>> {
        match ready {
            Some(What::Piece(part)) => engine.piece(inbox, part),
            Some(What::Control(signal, frame)) => {
                Self::control(engine, duty, (inbox, outbox), signal, frame).map(Piece::from)
            }
            Some(What::Failing) | None => engine.end().map(Piece::from),
            // A poll for pieces finds no whole message.
            Some(What::Message(..) | What::Gathered) => None,
        }
    }

    /// Takes a control frame. Pays what the peer is owed for it.
    #[inline(never)]
    fn control<'a>(
        engine: &'a mut Engine,
        duty: &mut D,
        (inbox, outbox): (&'a mut Inbox, &mut Outbox),
        signal: Signal,
        frame: Whole,
    ) -> Option<Beside<'a>> {
        // A Ping that a look ahead has seen is answered.
        let is_answered = inbox.seen() > 0;
        let beside = engine.control(inbox, signal, frame);
        if let (Some(Beside::Ping(payload)), false) = (&beside, is_answered) {
            duty.pong(payload, outbox);
        }
        beside
    }

    /// Answers the pings that have arrived and were not taken. Returns the peer's Close if it has arrived.
    pub(super) fn look_ahead(&mut self, conn: &mut Conn) -> Option<Close> {
        let (Self { engine, duty, .. }, Conn { inbox, outbox, .. }) = (self, conn);
        engine.look_ahead(inbox, |ping| duty.pong(ping, outbox))
    }

    /// The peer's Close, taken or not, if it has arrived.
    pub(super) fn received_close(&mut self, conn: &mut Conn) -> Option<Close> {
        if let State::Closed(close) = &self.engine.state {
            return Some(Close::clone(close));
        }
        self.look_ahead(conn)
    }

    /// If the pong is late: while the peer still takes bytes that were written before the ping, the time for its pong
    /// begins again.
    fn look_for_pong(&mut self, conn: &mut Conn, now: Instant, ask: Ask<'_>) {
        let pong = self.engine.keep_alive.deadline(&self.engine.limits);
        if pong.is_some_and(|pong| pong.reason == Limit::PongTime && now >= pong.at) {
            if let Some(taken) = conn.outbox.gained(ask.unacknowledged()) {
                self.engine.keep_alive.takes(now, taken);
            }
        }
    }
}

impl<D: Duty> Waits for Reader<D> {
    fn found_nothing(&mut self, conn: &mut Conn, now: Instant, ask: Ask<'_>) -> bool {
        if self.engine.is_over() {
            return false;
        }
        let (had_failed, queued) = (self.has_failed(), conn.outbox.len());
        let (was_busy, was_lost) = (self.is_busy(), self.is_lost());
        self.look_for_pong(conn, now, ask);
        let is_ready = match self.reception {
            Reception::Whole => self.poll(conn).is_some(),
            Reception::Pieces => self.poll_piece(conn).is_some(),
        };
        if is_ready {
            self.left = Left::Ready;
        }
        if self.left != Left::Nothing {
            self.judge_behind(conn, now);
            self.pause(conn, now);
        } else if let Err(exceeded) = self.duty.judge(&self.engine, conn, now, ask) {
            self.engine.state = State::Failing(Box::new(exceeded.into()));
        }
        // A ping is to be written, or the state has worked on.
        (self.has_failed() && !had_failed)
            || (self.is_lost() && !was_lost)
            || conn.outbox.len() > queued
            || was_busy
            || self.is_busy()
    }

    fn pause(&mut self, conn: &mut Conn, now: Instant) {
        self.engine.pause(&mut conn.inbox, now);
        self.look_ahead(conn);
    }

    fn deadline(&self, conn: &Conn) -> Option<Deadline> {
        if self.engine.is_over() || self.is_lost() {
            return None;
        }
        if self.left != Left::Nothing {
            // After the end of the stream no answer to a ping can come.
            let judged = !conn.inbox.is_over();
            return self.engine.keep_alive.deadline(&self.engine.limits).filter(|_| judged);
        }
        Deadline::earlier(self.engine.deadline(), self.duty.deadline(&self.engine, &conn.inbox))
    }

    fn is_busy(&self) -> bool {
        self.left == Left::Work
    }

    fn wrote(&mut self, conn: &mut Conn) {
        self.duty.settle(&mut conn.outbox);
    }
}
