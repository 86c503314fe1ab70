//! The raw transport, for another protocol.

use std::io;
use std::task::{Context, Poll, ready};

use super::{Connection, Side, State, Until};
use crate::Ended;
use crate::transport::Transport;

impl Connection {
    /// Reads what the peer of another protocol has sent. Zero bytes are the end of the stream.
    pub(crate) fn poll_raw_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let State::Raw(raw) = &mut self.state else {
            return Poll::Ready(Err(broken(&self.how_it_ends())));
        };
        let Some(raw) = raw else { return self.poll_own_read(cx, buffer) };
        if let Some(arrived) = raw.received_up_to(buffer.len()) {
            let len = arrived.len();
            buffer.iter_mut().zip(arrived.iter()).for_each(|(to, from)| *to = *from);
            // There is room for more.
            self.stop_waiting();
            return Poll::Ready(Ok(len));
        }
        if let Some(cut) = &self.truncated {
            return Poll::Ready(Err(broken(cut)));
        }
        if raw.has_ended() {
            return Poll::Ready(Ok(0));
        }
        self.wait_for_peer(cx)
    }

    /// Reads for a holder who has the state too, and whom nothing is read ahead for.
    fn poll_own_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let polled = self.poll_raw(cx, |transport, cx| transport.poll_read(cx, buffer));
        if polled.is_pending() {
            // The transport wakes it, unless this side ends the connection.
            self.await_input(cx);
        }
        polled
    }

    /// Writes to the raw transport, for another protocol: queued output is sent first.
    pub(crate) fn poll_raw_write<R>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut dyn Transport, &mut Context<'_>) -> Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if let Err(ended) = ready!(self.poll_output(cx, Side::Writer, Until::Flushed)) {
            return Poll::Ready(Err(broken(&ended)));
        }
        let polled = self.poll_raw(cx, poll);
        if self.life.counts_output() {
            self.life.took(self.clock());
        }
        if polled.is_pending() {
            self.waiters.write(Side::Writer, Until::Flushed, cx, &mut self.woken);
        }
        polled
    }

    /// The holder of the raw transport is done. What HTTP has queued still goes out.
    pub(crate) fn end_raw(&mut self) {
        match self.state.take() {
            State::Raw(Some(raw)) => self.state = State::closing(raw.close(), Ended::Upgraded),
            State::Raw(None) => {
                let position = self.position();
                return self.is_over(Ended::Upgraded, position);
            }
            other => self.state = other,
        }
        self.leave_to_driver();
    }

    fn poll_raw<R>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut dyn Transport, &mut Context<'_>) -> Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if let Some(ended) = self.ended() {
            return Poll::Ready(Err(broken(ended)));
        }
        poll(super::open(&mut self.transport)?, cx)
    }
}

fn broken(ended: &Ended) -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, ended.clone())
}
