//! The driver's turns.

use std::task::{Context, Poll, ready};

use endwell_core::http::server::RequestBody;
use endwell_core::{Deadline, Inbox, Instant};

use super::{SocketState, Wire, fill};
use crate::hub::Hub;
use crate::{Ended, scratch};

impl Wire {
    /// The driver's turn begins.
    pub(crate) fn begin(&mut self, cx: &Context<'_>) {
        self.driving = true;
        scratch::lend_output(&mut self.out);
        if !self.driver.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.woken.register(&mut self.driver, cx.waker());
            // The timer would wake the task that the driver was in before.
            self.armed = None;
        }
    }

    /// The driver's turn ends, and it waits: no memory stays lent.
    pub(crate) fn rest(&mut self, hub: &Hub, inbox: Option<&mut Inbox>) {
        self.driving = false;
        let mut held = self.held_elsewhere;
        let inbox = inbox.or(self.recv.as_mut().map(RequestBody::inbox)).or(self.socket.inbox());
        if let Some(inbox) = inbox {
            scratch::reclaim_room(inbox);
            held += inbox.len();
        }
        scratch::reclaim_output(&mut self.out);
        held += self.out.len();
        if held != self.charged {
            hub.charge(self.charged, held);
            self.charged = held;
        }
    }

    /// Waits until the earlier of the output's deadline and `deadline`. Ready: poll whatever has a deadline again.
    pub(crate) fn poll_deadline(&mut self, cx: &mut Context<'_>, deadline: Option<Deadline>) -> Poll<()> {
        self.poll_until(cx, deadline.map(|deadline| deadline.at))
    }

    /// One lazy timer: a later deadline does not move it, and when it fires too early it is set again.
    fn poll_until(&mut self, cx: &mut Context<'_>, at: Option<Instant>) -> Poll<()> {
        let stall = if self.out.is_empty() { self.held_back_until() } else { self.out.deadline() };
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

    /// The driver waits while a handler works: writes, reads for those who wait, and tells them.
    ///
    /// Ready: a deadline has passed, and the handler must be polled again.
    pub(crate) fn poll_while_handling(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.ended.is_some() {
            return Poll::Pending;
        }
        if let Poll::Ready(Err(ended)) = self.poll_write_out(cx) {
            self.end(ended);
            return Poll::Pending;
        }
        self.wake_writers();
        self.read_in_background(cx);
        // A reader in this very task has just found nothing, and will be woken by what arrives.
        let reads_elsewhere =
            self.waiters.reader.as_ref().is_some_and(|reader| !reader.will_wake(cx.waker()));
        if reads_elsewhere || self.waiters.writer.is_some() || !self.waiters.watchers.is_empty() {
            self.read_for_waiters(cx);
        }
        self.poll_closing(cx);
        let outlets = self.rest_outlets(cx);
        let deadline = self.deadline().map(|deadline| deadline.at);
        ready!(self.poll_until(cx, deadline.into_iter().chain(outlets).min()));
        self.wake_reader();
        Poll::Ready(())
    }

    /// When whoever reads must be polled again though nothing arrived.
    fn deadline(&mut self) -> Option<Deadline> {
        let reading = self.waiters.reader.is_some();
        let now = self.transport.now();
        let mut deadline = match &mut self.recv {
            Some(recv) if reading => recv.deadline(),
            Some(recv) => {
                recv.pause(now);
                None
            }
            None => None,
        };
        if reading || matches!(self.socket, SocketState::Closing(..)) {
            deadline = deadline.or(self.socket.deadline());
        }
        deadline
    }

    /// The outlets are told how far the output is, and what time it is. When the time of one who waits is over.
    fn rest_outlets(&mut self, cx: &Context<'_>) -> Option<Instant> {
        self.held_elsewhere = self.reading.held();
        let queue = self.queue.as_ref()?;
        let rest = queue.rest(self.transport.now(), self.position(), cx, &mut self.woken);
        self.held_elsewhere += rest.bytes;
        rest.deadline
    }

    /// Reads until nothing is there or nothing more fits.
    fn read_for_waiters(&mut self, cx: &mut Context<'_>) {
        match self.read_for_socket(cx).and_then(|socket| Ok(self.read_for_body(cx)? | socket)) {
            Ok(false) => {}
            Ok(true) => self.wake_reader(),
            Err(ended) => self.end(ended),
        }
    }

    /// True if a reader of the body has something to look at: bytes, or that its time is over.
    fn read_for_body(&mut self, cx: &mut Context<'_>) -> Result<bool, Ended> {
        let Some(recv) = &mut self.recv else { return Ok(false) };
        let mut arrived = false;
        while !recv.inbox().is_full() && !recv.inbox().has_ended() {
            match fill(&mut self.transport, cx, recv.inbox()) {
                Poll::Ready(filled) => filled?,
                // A reader that waits elsewhere has not seen this silence: its time runs from here.
                Poll::Pending => {
                    return Ok(arrived || (self.waiters.reader.is_some() && recv.poll().is_err()));
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

    /// Something is queued or waited for. Outside its turn the driver must be told.
    pub(crate) fn leave_to_driver(&mut self) {
        if !self.driving {
            self.wake_driver();
        }
    }

    pub(crate) fn wake_driver(&mut self) {
        if let Some(waker) = &self.driver {
            waker.wake_by_ref();
        }
    }
}
