//! The turns of the driver: written once, for every state, role and runtime.

use std::sync::Arc;
use std::task::{Context, Poll};

use endwell_core::ws::CloseCode;
use endwell_core::{Instant, Pace};

use super::look::{Looked, Waits};
use super::state::EndOfStream;
use super::turn::EVENT;
use super::{Connection, Link, State};
use crate::server::{HeldBy, Late};
use crate::{Ended, Exchange, scratch};

/// What runs in the task of the driver, beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    Nothing,
    /// The handler of the exchange that is open, or was the last.
    Handler,
}

/// What the task of the driver does next.
pub(crate) enum Turned {
    /// It calls the handler.
    Request(Exchange),
    /// It polls the handler again: what that waits for has come.
    Again,
    /// It drops the handler.
    Cancel,
    /// It notes that the connection did not end in time, and polls the handler once more: what that waits for can tell
    /// it.
    Late(Box<Late>),
    /// It waits.
    Waits,
    /// The connection has ended.
    Ended(Ended),
}

impl Connection {
    /// Begins a turn of the driver's task.
    pub(crate) fn begin(&mut self, link: &Link, cx: &mut Context<'_>, beside: Beside) {
        self.driving = true;
        self.looked = Looked::No;
        let most = self.judge_budget(link);
        if self.work.begin(most) {
            self.wake_reader();
        }
        if let Some(mut io) = self.state.io() {
            scratch::lend_output(&mut io);
        }
        if !self.driver.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.woken.register(&mut self.driver, cx.waker());
            // The timer would wake the task that ran the driver before.
            self.armed = None;
        }
        if beside == Beside::Handler {
            // Mostly it is what the handler waits for that has woken the task.
            let is_reading = self.waiters.is_reading();
            if is_reading || self.lacks_body() {
                self.now = self.clock();
                while self.read(cx, beside) && !is_reading && self.lacks_body() {}
            }
        }
        self.again = false;
    }

    /// Does the work of the driver: takes the next request, writes, advances and reads, until nothing is left to do. Then
    /// wakes those who wait, and sleeps until the next deadline.
    pub(crate) fn turn(&mut self, link: &Arc<Link>, cx: &mut Context<'_>, beside: Beside) -> Turned {
        self.now = self.clock();
        if beside == Beside::Nothing {
            self.no_handler_runs();
        }
        if link.shared.is_draining() {
            self.drain();
            if self.stopped_at(link).is_some_and(|at| self.now >= at) {
                return self.cut_off(link, beside);
            }
        }
        match self.held_by {
            HeldBy::Nothing => self.answer_dropped(link),
            HeldBy::NothingYet if beside == Beside::Nothing => self.answer_dropped(link),
            HeldBy::Handler | HeldBy::Thread | HeldBy::NothingYet => {}
        }
        if beside == Beside::Nothing && self.awaits_request() {
            // Mostly it is a request that has woken the task.
            self.read(cx, beside);
        }
        while self.ended().is_none() {
            if beside == Beside::Nothing {
                if let Some(exchange) = self.next_request(link, cx) {
                    return Turned::Request(exchange);
                }
            }
            self.write(cx);
            let queued = self.queued();
            self.advance(cx);
            if self.read(cx, beside) {
                if self.again && beside == Beside::Handler {
                    break;
                }
                continue;
            }
            if self.judge(link, cx, beside) {
                self.look_again();
            } else if self.queued() <= queued {
                break;
            }
        }
        self.wake_writers();
        if beside == Beside::Handler && std::mem::take(&mut self.again) {
            self.work.spend(EVENT);
            if !self.work.is_used_up() {
                return Turned::Again;
            }
            self.yield_turn();
        }
        if let Some(ended) = self.ended().cloned() {
            if beside == Beside::Nothing {
                self.leave(ended.clone());
                return Turned::Ended(ended);
            }
            if self.transport.is_some() {
                self.outlive(&link.shared.settings.life);
                self.hang_up(ended);
                return Turned::Again;
            }
        }
        if self.is_life_over(link) {
            return Turned::Cancel;
        }
        self.sleep(link, cx);
        self.rest(link);
        Turned::Waits
    }

    /// The server stops, and the connection has not ended in time.
    #[cold]
    fn cut_off(&mut self, link: &Link, beside: Beside) -> Turned {
        if self.timer.is_some() {
            let late = self.late(link);
            // Before the handler is dropped: its exchange gets no answer.
            self.leave(Ended::SHUTDOWN);
            return Turned::Late(late.into());
        }
        match beside {
            Beside::Nothing => Turned::Ended(self.ended().cloned().unwrap_or(Ended::SHUTDOWN)),
            Beside::Handler => {
                link.shared.counters.cancelled.add();
                Turned::Cancel
            }
        }
    }

    /// The server stops: this is told to another protocol, and closes a WebSocket.
    #[cold]
    fn drain(&mut self) {
        self.notes_stop();
        if self.state.is_socket() {
            self.close_socket(CloseCode::GOING_AWAY.into());
        }
    }

    fn write(&mut self, cx: &mut Context<'_>) {
        let queued = self.queued();
        let was_flushed = self.is_flushed();
        if let Poll::Ready(Err(ended)) = self.poll_write_out(cx) {
            self.write_failed(ended);
        }
        if !was_flushed && matches!(self.state, State::Closing(_)) {
            // The peer's time may begin here.
            self.look_again();
        }
        if queued > 0 && !matches!(self.state, State::Between(_)) {
            // What comes from here on may be the answer to it, as a pong is. A request answers nothing.
            self.now = self.clock();
        }
    }

    /// Takes on what has arrived, where no right of the application does, and what was written.
    fn advance(&mut self, cx: &mut Context<'_>) {
        match self.state {
            State::Client(_) => self.advance_asking(),
            State::Closing(_) => self.advance_closing(cx),
            _ => self.discard(cx),
        }
    }

    /// Reads once, whatever the application does. True if something came that the state must be asked about.
    pub(crate) fn read(&mut self, cx: &mut Context<'_>, beside: Beside) -> bool {
        let Some(waits) = self.waits(beside) else { return false };
        if self.looked.settles(waits) {
            return false;
        }
        if self.work.is_used_up() {
            self.yield_turn();
            return false;
        }
        match self.poll_look(cx, waits) {
            Poll::Ready(Ok(())) => {
                if self.state.is_busy() {
                    self.work.use_up();
                }
                if self.waiters.is_reading() && self.state.is_worth_a_look() {
                    self.wake_reader();
                }
                true
            }
            Poll::Ready(Err(ended)) => {
                self.end(ended);
                false
            }
            Poll::Pending => false,
        }
    }

    /// Whether what is read is waited for: then the time of the peer runs. `None` if nothing is read.
    fn waits(&self, beside: Beside) -> Option<Waits> {
        let is_waited_for = match &self.state {
            State::Between(_) => beside == Beside::Nothing,
            // Its pings go on, whatever the application does.
            State::Socket(_) | State::Within(_) | State::Receiving(_) => true,
            State::Client(asking) => asking.waits() || self.waiters.is_reading(),
            // The peer's time begins with the end of the stream, which a lower layer may still hold back.
            State::Closing(last) => last.end_of_stream != EndOfStream::Owed,
            State::Open(_) | State::Writing(_) | State::Answered(_) | State::Raw(Some(_)) => {
                self.waiters.is_reading()
            }
            State::Raw(None) | State::Over(_) | State::Taken => return None,
        };
        Some(if is_waited_for { Waits::Yes } else { Waits::No })
    }

    /// Judges what was not read, and the time. True if that has changed the state.
    fn judge(&mut self, link: &Arc<Link>, cx: &mut Context<'_>, beside: Beside) -> bool {
        // What has arrived comes before what is late.
        let has_looked = matches!(self.looked, Looked::Nothing(_));
        self.look_for_end()
            || self.judge_half_closed(&link.shared.settings.life)
            || self.judge_idle()
            || self.judge_failure()
            || (has_looked && self.judge_stalled())
            || self.heed(link, cx)
            || (has_looked && beside == Beside::Nothing && link.shared.is_draining() && self.stop())
    }

    /// Sets the alarm to the earliest deadline. If that has passed, the next turn looks again.
    fn sleep(&mut self, link: &Link, cx: &mut Context<'_>) {
        if self.looked == Looked::Late {
            // The runtime wakes the task.
            return;
        }
        let deadlines = if self.ended().is_some() {
            [self.life_until(), self.stopped_at(link), None, None, None, None, None, None, None, None]
        } else {
            let outlets = self.rest_outlets(cx);
            let is_all_written = self.queued() == 0;
            let held_back = self.held_back_until().filter(|_| is_all_written).map(|held_back| held_back.at);
            [
                self.life_until(),
                self.read_deadline,
                self.write_deadline,
                held_back,
                outlets,
                self.gone_at(&link.shared.settings.life),
                self.idle_at(),
                self.unread_until(),
                self.failure_asked_at(),
                self.stopped_at(link),
            ]
        };
        let Some(at) = deadlines.into_iter().fold(None, earlier) else { return };
        if self.poll_alarm(cx, at).is_ready() {
            cx.waker().wake_by_ref();
        }
    }

    /// Ends the turn before the task waits: no memory stays lent.
    fn rest(&mut self, link: &Link) {
        self.driving = false;
        self.seen = self.position().written;
        if let Some(mut io) = self.state.io() {
            scratch::reclaim_room(&mut io);
            scratch::reclaim_output(&mut io);
        }
        self.tell_standing(link);
    }

    /// Waits until `at`. Uses one lazy timer: a later deadline does not move it, and when it fires too early it is set
    /// again.
    fn poll_alarm(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        let now = self.now;
        if now >= at {
            return Poll::Ready(());
        }
        if self.armed.is_some_and(|armed| now < armed && armed <= at) {
            return Poll::Pending;
        }
        self.armed = Some(at);
        self.timer.as_mut().map_or(Poll::Pending, |timer| timer.as_mut().poll_sleep(cx, at))
    }

    /// Tells the outlets the position of the output and the time. Returns when the time of a waiting task is over.
    fn rest_outlets(&mut self, cx: &Context<'_>) -> Option<Instant> {
        self.held_elsewhere = 0;
        let position = self.position();
        let queue = self.queue.as_ref()?;
        let rest = queue.rest(self.now, position, cx, &mut self.woken);
        self.held_elsewhere += rest.bytes;
        if rest.is_cut_off {
            self.end(Ended::SHUTDOWN);
            // The next turn hangs up.
            return Some(self.now);
        }
        rest.deadline
    }

    /// Sets the pace of the body that is received.
    pub(crate) fn set_body_pace(&mut self, pace: Pace) {
        self.state.set_body_pace(pace);
        self.leave_to_driver();
    }

    /// Sets the pace at which the peer must take what is queued, while this exchange or socket is open.
    pub(crate) fn set_output_pace(&mut self, pace: Pace) {
        if let Some(mut io) = self.state.io() {
            io.set_output_pace(Some(pace));
        }
        self.leave_to_driver();
    }

    /// Waits for the peer, because the application does: ask again after it was woken.
    pub(crate) fn wait_for_peer<R>(&mut self, cx: &Context<'_>) -> Poll<R> {
        let is_new = self.await_input(cx);
        self.wait_for_driver(is_new);
        Poll::Pending
    }

    /// Notes that a task waits for input. False if it already waited.
    pub(crate) fn await_input(&mut self, cx: &Context<'_>) -> bool {
        // What was there is taken: from here on it is the peer's time.
        self.look_again();
        let Self { waiters, woken, driver, driving, .. } = self;
        let is_handler = *driving && driver.as_ref().is_some_and(|driver| driver.will_wake(cx.waker()));
        if is_handler { waiters.read_in_handler(woken) } else { waiters.read(cx, woken) }
    }

    /// Wakes the task that waits for input.
    pub(crate) fn wake_reader(&mut self) {
        let Self { waiters, woken, .. } = self;
        if waiters.stop_handler_reading() {
            self.again = true;
            if !self.driving {
                self.wake_driver();
            }
        } else {
            woken.take(&mut waiters.reader);
        }
    }

    /// Notes that the application no longer waits for the peer: no time runs from here on. In another task, the driver may
    /// not notice that for a long time.
    pub(crate) fn stop_waiting(&mut self) {
        self.waiters.stop_reading(&mut self.woken);
        self.leave_to_driver();
    }

    /// Leaves new output, a new state or a new wait to the driver. Outside its turn the driver must be woken.
    pub(crate) fn leave_to_driver(&mut self) {
        if self.driving {
            self.look_again();
        } else {
            self.wake_driver();
        }
    }

    /// The last look of this turn says nothing of what is waited for now.
    pub(crate) fn look_again(&mut self) {
        if self.looked != Looked::Late {
            self.looked = Looked::No;
        }
    }

    /// Notes that a task waits; `is_new` if it did not before. A task that already waited has woken the driver, and
    /// waking it again would let the two wake each other for ever if they share a task.
    pub(crate) fn wait_for_driver(&mut self, is_new: bool) {
        if is_new || self.position().written != self.seen {
            self.leave_to_driver();
        }
    }

    pub(crate) fn wake_driver(&mut self) {
        if let Some(waker) = &self.driver {
            waker.wake_by_ref();
        }
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
