//! The turns of the driver.

use std::task::{Context, Poll, ready};

use bytes::Buf;
use endwell_core::{Deadline, Inbox, Instant, Pace};

use super::background::Reading;
use super::{SocketState, Wire, fill};
use crate::hub::Hub;
use crate::{Ended, scratch};

/// Where the application is polled.
#[derive(Clone, Copy)]
pub(crate) enum Application {
    /// In the driver's turn, if it is in this task at all.
    Within,
    /// Never in the driver's turn, though it may be in the same task.
    Beside,
}

impl Wire {
    /// Begins the driver's turn.
    pub(crate) fn begin(&mut self, cx: &Context<'_>) {
        self.driving = true;
        scratch::lend_output(&mut self.out);
        if !self.driver.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.woken.register(&mut self.driver, cx.waker());
            // The timer would wake the task that ran the driver before.
            self.armed = None;
        }
    }

    /// Ends the driver's turn before it waits: no memory stays lent.
    pub(crate) fn rest(&mut self, hub: &Hub, inbox: Option<&mut Inbox>) {
        self.driving = false;
        self.seen = self.position().written;
        let mut held = self.held_elsewhere;
        let inbox = inbox.or(self.http.inbox()).or(self.socket.inbox());
        if let Some(inbox) = inbox {
            scratch::reclaim_room(inbox);
            held += inbox.len();
        }
        scratch::reclaim_output(&mut self.out);
        held += self.out.len() + self.socket.held_bytes();
        if held != self.charged {
            hub.charge(self.charged, held);
            self.charged = held;
        }
    }

    /// Waits until the earlier of the output's deadline and `deadline`. Ready: poll everything with a deadline again.
    pub(crate) fn poll_deadline(&mut self, cx: &mut Context<'_>, deadline: Option<Deadline>) -> Poll<()> {
        self.poll_until(cx, deadline.map(|deadline| deadline.at))
    }

    /// Uses one lazy timer: a later deadline does not move it, and when it fires too early it is set again.
    fn poll_until(&mut self, cx: &mut Context<'_>, at: Option<Instant>) -> Poll<()> {
        let held_back = self.held_back_until().filter(|_| !self.out.has_remaining());
        let stall = Deadline::earlier(held_back, self.out.deadline());
        let stall = stall.map(|stall| stall.at);
        let Some(at) = at.into_iter().chain(stall).min() else { return Poll::Pending };
        let now = self.transport.now();
        if now >= at {
            return Poll::Ready(());
        }
        if self.armed.is_some_and(|armed| now < armed && armed <= at) {
            return Poll::Pending;
        }
        self.armed = Some(at);
        self.transport.poll_sleep(cx, at)
    }

    /// Drives the connection while a handler works: writes, reads for waiting tasks, and wakes them.
    ///
    /// Ready if a deadline has passed, or the connection has just ended; look again.
    pub(crate) fn poll_while_handling(&mut self, cx: &mut Context<'_>, application: Application) -> Poll<()> {
        if self.ended.is_some() {
            return Poll::Pending;
        }
        let outlets = self.work(cx, application);
        if self.ended.is_some() {
            // No other event wakes this task: the rights may be in other tasks, which wait for something else.
            return Poll::Ready(());
        }
        let deadline = self.deadline().map(|deadline| deadline.at);
        ready!(self.poll_until(cx, deadline.into_iter().chain(outlets).min()));
        self.wake_reader();
        Poll::Ready(())
    }

    /// Does the driver's work while tasks hold the rights. Returns when the time of a task that waits for an outlet is
    /// over.
    fn work(&mut self, cx: &mut Context<'_>, application: Application) -> Option<Instant> {
        if let Poll::Ready(Err(ended)) = self.poll_write_out(cx) {
            self.write_failed(ended);
            if self.ended.is_some() {
                return None;
            }
        }
        self.poll_asking(cx);
        self.wake_writers();
        self.read_in_background(cx);
        // A reader in this very turn has just found nothing, and will be woken by what arrives.
        let has_looked = match (application, &self.reading) {
            (Application::Within, _) | (_, Reading::Ahead(_) | Reading::Discard) => true,
            (Application::Beside, Reading::OnDemand) => false,
        };
        let reads_elsewhere =
            self.waiters.reader.as_ref().is_some_and(|reader| !has_looked || !reader.will_wake(cx.waker()));
        if reads_elsewhere
            || self.waiters.writer.is_some()
            || self.waiters.are_watching()
            || self.out.is_held()
        {
            self.read_for_waiters(cx);
        }
        self.poll_closing(cx);
        self.rest_outlets(cx)
    }

    /// When the reader must be polled again even if nothing arrives.
    fn deadline(&mut self) -> Option<Deadline> {
        let reading = self.waiters.reader.is_some();
        let now = self.transport.now();
        let deadline = match self.http.body() {
            Some(body) if reading => body.deadline(),
            Some(body) => {
                body.pause(now);
                None
            }
            None => self.http.asking().and_then(|asking| asking.deadline()),
        };
        let SocketState::Open(session) = &mut self.socket else { return deadline.or(self.socket.deadline()) };
        if reading {
            return session.deadline();
        }
        session.pause(now);
        None
    }

    /// Sets the pace of the body that is received.
    pub(crate) fn set_body_pace(&mut self, pace: Pace) {
        if let Some(body) = self.http.body() {
            body.set_pace(pace);
        }
        self.leave_to_driver();
    }

    /// Sets the pace at which the peer must take what is queued, while this exchange or socket is open.
    pub(crate) fn set_output_pace(&mut self, pace: Pace) {
        self.out.set_pace(Some(pace));
        self.leave_to_driver();
    }

    /// Tells the outlets the position of the output and the time. Returns when the time of a waiting task is over.
    fn rest_outlets(&mut self, cx: &Context<'_>) -> Option<Instant> {
        self.held_elsewhere = self.reading.held();
        let queue = self.queue.as_ref()?;
        let rest = queue.rest(self.transport.now(), self.position(), cx, &mut self.woken);
        self.held_elsewhere += rest.bytes;
        rest.deadline
    }

    /// Reads until a read finds nothing, or nothing more fits.
    fn read_for_waiters(&mut self, cx: &mut Context<'_>) {
        match self.read_for_socket(cx).and_then(|socket| Ok(self.read_for_body(cx)? | socket)) {
            Ok(false) => {}
            Ok(true) => {
                self.wake_reader();
                // It is sent in the next turn.
                if self.out.arrived() {
                    self.wake_driver();
                }
            }
            Err(ended) => self.end(ended),
        }
    }

    /// Reads what has arrived of a body that the handler has not asked for: it decides how the response is sent.
    pub(crate) fn look_at_body(&mut self) {
        if let (true, Some(driver)) = (self.driving, self.driver.clone()) {
            if let Err(ended) = self.read_for_body(&mut Context::from_waker(&driver)) {
                self.end(ended);
            }
        }
    }

    /// True if a reader of the body should look: at bytes, or because its time is over.
    fn read_for_body(&mut self, cx: &mut Context<'_>) -> Result<bool, Ended> {
        let Self { http, transport, .. } = self;
        let Some(body) = http.body() else { return Ok(false) };
        let mut arrived = false;
        while !body.inbox().is_full() && !body.inbox().has_ended() {
            match fill(transport, cx, body.inbox()) {
                Poll::Ready(filled) => filled?,
                // A reader in another task has not seen this silence: its time runs from here.
                Poll::Pending => {
                    return Ok(arrived || (self.waiters.reader.is_some() && body.poll().is_err()));
                }
            }
            arrived = true;
        }
        Ok(arrived)
    }

    /// Runs `poll` if this is the driver's turn; otherwise leaves it to the driver.
    pub(super) fn poll_driving<R>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Self, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        if self.driving { poll(self, cx) } else { Poll::Pending }
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
