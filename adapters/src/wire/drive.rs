//! The turns of the driver.

use std::sync::Arc;
use std::task::{Context, Poll};

use endwell_core::ws::CloseCode;
use endwell_core::{Instant, Pace};

use super::look::{Looked, Waits};
use super::{Goes, Link, State, Wire};
use crate::{Ended, scratch};

impl Wire {
    /// Begins the turn of the driver's task: what was used up in the last one goes on.
    pub(crate) fn begin_turn(&mut self, link: &Link) {
        let most = self.judge_budget(link);
        if self.work.begin(most) {
            self.wake_reader();
        }
    }

    /// Begins the driver's part of a turn.
    pub(crate) fn begin(&mut self, cx: &Context<'_>) {
        self.driving = true;
        self.looked = Looked::No;
        self.read_deadline = None;
        if let Some(mut io) = self.state.io() {
            scratch::lend_output(&mut io);
        }
        if !self.driver.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.woken.register(&mut self.driver, cx.waker());
            // The timer would wake the task that ran the driver before.
            self.armed = None;
        }
    }

    /// Ends the driver's turn before it waits: no memory stays lent.
    pub(super) fn rest(&mut self, link: &Link) {
        self.driving = false;
        self.seen = self.position().written;
        if let Some(mut io) = self.state.io() {
            scratch::reclaim_room(&mut io);
            scratch::reclaim_output(&mut io);
        }
        self.tell_standing(link);
    }

    /// Drives a connection that waits for its rights, or for the peer in its last phase, until it has ended. The check and
    /// the waker are under one lock.
    pub(super) fn poll_to_end(&mut self, link: &Arc<Link>, cx: &mut Context<'_>) -> Poll<Ended> {
        let ended = if link.hub.is_cut() {
            Ended::Shutdown
        } else {
            self.begin(cx);
            // No handler runs.
            let _ = self.poll_rest(link, cx);
            match self.ended() {
                Some(ended) => ended.clone(),
                None => return Poll::Pending,
            }
        };
        self.leave(ended.clone());
        Poll::Ready(ended)
    }

    /// Lets the driver work and wait while the application works or waits. If the connection has ended, the socket closes,
    /// however long the application goes on.
    pub(crate) fn poll_rest(&mut self, link: &Arc<Link>, cx: &mut Context<'_>) -> Goes {
        if link.hub.is_draining() {
            self.notes_stop();
            if self.state.is_socket() {
                self.close_socket(CloseCode::GOING_AWAY.into());
            }
        }
        self.heed(link, cx);
        if self.ended().is_none() && self.poll_turn(link, cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        let goes = match (self.ended().cloned(), self.transport.is_none()) {
            (Some(ended), false) => {
                self.outlive(&link.hub.life);
                self.hang_up(ended);
                cx.waker().wake_by_ref();
                Goes::On
            }
            _ => self.poll_life(link, cx),
        };
        self.rest(link);
        goes
    }

    /// Does the driver's work: writes, reads, and wakes those who wait. Ready if a deadline has passed; look again.
    fn poll_turn(&mut self, link: &Link, cx: &mut Context<'_>) -> Poll<()> {
        self.write(cx);
        let queued = self.queued();
        self.poll_asking(cx);
        self.poll_discard(cx);
        let has_news = self.read_ahead_or_wait(cx);
        // A ping or an answer was queued, or a response was held back until the peer reacted.
        if self.queued() > queued || (has_news && queued > 0) {
            self.write(cx);
        }
        self.wake_writers();
        let gone = self.judge_half_closed(&link.hub.life);
        let idle = self.judge_idle();
        let failed = self.look_for_failure();
        self.poll_closing(cx);
        if self.ended.is_some() {
            return Poll::Pending;
        }
        let outlets = self.rest_outlets(cx);
        self.poll_deadline(cx, [outlets, gone, idle, failed, self.unread_until(), self.life_until()])
    }

    fn write(&mut self, cx: &mut Context<'_>) {
        if let Poll::Ready(Err(ended)) = self.poll_write_out(cx) {
            self.write_failed(ended);
        }
    }

    /// Reads, whatever the application does, until nothing is there or nothing more fits. What arrives also shows that the
    /// peer has left. True if something arrived.
    pub(super) fn read_ahead_or_wait(&mut self, cx: &mut Context<'_>) -> bool {
        if matches!(self.state, State::Closing(_) | State::Raw(None) | State::Over(_) | State::Taken) {
            return false;
        }
        let mut has_news = false;
        while self.looked == Looked::No {
            if self.work.is_used_up() {
                self.yield_turn();
                break;
            }
            // A WebSocket always waits: its pings go on whatever the application does.
            let is_waited_for = self.waiters.reader.is_some() || self.state.receives();
            match self.poll_look(cx, if is_waited_for { Waits::Yes } else { Waits::No }) {
                Poll::Ready(Ok(())) => {
                    has_news = true;
                    if self.state.is_busy() {
                        self.work.use_up();
                    }
                }
                Poll::Ready(Err(ended)) => {
                    self.end(ended);
                    return false;
                }
                Poll::Pending => break,
            }
        }
        self.look_for_end();
        if has_news {
            self.wake_reader();
        }
        has_news
    }

    /// Waits until the earliest deadline: of what is read, of what is written, and `also`. Ready: poll everything with a
    /// deadline again.
    pub(super) fn poll_deadline(
        &mut self,
        cx: &mut Context<'_>,
        also: impl IntoIterator<Item = Option<Instant>>,
    ) -> Poll<()> {
        let is_all_written = self.queued() == 0;
        let held_back = self.held_back_until().filter(|_| is_all_written).map(|held_back| held_back.at);
        let deadlines = [self.read_deadline, self.write_deadline, held_back];
        match deadlines.into_iter().chain(also).flatten().min() {
            Some(at) => self.poll_alarm(cx, at),
            None => Poll::Pending,
        }
    }

    /// Waits until `at`. Uses one lazy timer: a later deadline does not move it, and when it fires too early it is set
    /// again.
    pub(super) fn poll_alarm(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        let now = self.clock();
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
        let rest = queue.rest(self.clock(), position, cx, &mut self.woken);
        self.held_elsewhere += rest.bytes;
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

    /// Runs `poll` if this is the driver's turn; otherwise leaves it to the driver.
    pub(super) fn poll_driving<R>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Self, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        if self.driving { poll(self, cx) } else { Poll::Pending }
    }

    /// Waits for the peer, because the application does. Writes first, since the peer may wait for that. Ready: ask the state
    /// again, and whether the connection has ended.
    pub(super) fn poll_peer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let written = self.poll_driving(cx, Self::poll_write_out);
        let looked = if let Poll::Ready(Err(_)) = written { written } else { self.poll_wait(cx) };
        match looked {
            Poll::Ready(Ok(())) => Poll::Ready(()),
            Poll::Ready(Err(ended)) => {
                self.end(ended);
                Poll::Ready(())
            }
            Poll::Pending => {
                let is_new = self.waiters.read(cx, &mut self.woken);
                self.wait_for_driver(is_new);
                Poll::Pending
            }
        }
    }

    /// Looks because the application waits, if this is the driver's turn.
    fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        if !self.driving || self.looked == Looked::Late {
            return Poll::Pending;
        }
        if self.work.is_used_up() {
            self.yield_turn();
            return Poll::Pending;
        }
        let looked = self.poll_look(cx, Waits::Yes);
        if looked.is_pending() && !self.driver.as_ref().is_some_and(|driver| driver.will_wake(cx.waker())) {
            // It is in another task, or behind another waker of the same one: the driver must be woken too.
            self.looked = Looked::No;
        }
        looked
    }

    /// Notes that the application no longer waits for the peer: no time runs from here on. In another task, the driver may
    /// not notice that for a long time.
    pub(super) fn stop_waiting(&mut self) {
        self.waiters.stop_reading(&mut self.woken);
        self.looked = Looked::No;
        self.leave_to_driver();
    }

    /// Leaves new output, or a new wait, to the driver. Outside its turn the driver must be woken.
    pub(crate) fn leave_to_driver(&mut self) {
        if !self.driving {
            self.wake_driver();
        }
    }

    /// Notes that a task waits; `is_new` if it did not before. A task that already waited has woken the driver, and
    /// waking it again would let the two wake each other for ever if they share a task.
    pub(super) fn wait_for_driver(&mut self, is_new: bool) {
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
