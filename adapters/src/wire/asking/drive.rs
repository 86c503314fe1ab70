//! The driver's part of a client's connection.

use std::task::{Context, Poll};

use bytes::Buf;

use super::super::{Http, SocketState, Wire, fill};
use super::Phase;
use crate::{Ended, scratch};

impl Wire {
    /// Checks whether the server has left meanwhile, with the driver's waker: what arrives later wakes the driver.
    pub(super) fn look(&mut self) {
        let Self { http: Http::Asking(asking), transport, driver: Some(driver), ended: None, .. } = self
        else {
            return;
        };
        let Some(inbox) = asking.inbox() else { return };
        let looked = fill(transport, &mut Context::from_waker(driver), inbox);
        scratch::reclaim_room(inbox);
        let looked = match looked {
            Poll::Ready(Err(ended)) => Err(ended),
            Poll::Ready(Ok(())) | Poll::Pending => asking.advance().map(drop),
        };
        if let Err(ended) = looked {
            self.end(ended);
        }
    }

    /// Notes that nothing more can be written. A client keeps reading: the server may have responded before it stopped
    /// reading (RFC 9112 9.5).
    pub(crate) fn write_failed(&mut self, ended: Ended) {
        let Self { http, out, .. } = self;
        let is_answered = match http.asking() {
            Some(asking) if out.sent() > asking.begins => match asking.phase {
                Phase::Waiting(_)
                | Phase::Upgrading(_)
                | Phase::Tunnelling(_)
                | Phase::Head(_)
                | Phase::Body(_) => {
                    asking.write_error.get_or_insert_with(|| ended.clone());
                    true
                }
                Phase::Idle(_) | Phase::Open(..) | Phase::Through(..) | Phase::Failed(_) | Phase::Over => {
                    false
                }
            },
            Some(_) | None => false,
        };
        if !is_answered {
            return self.end(ended);
        }
        let rest = self.out.len();
        self.out.advance(rest);
        // Stops waiting for a lower layer too, which may hold bytes back for ever.
        (self.unflushed, self.held_back) = (0, None);
    }

    /// Does the driver's part of an exchange, and between exchanges: reads until the head of the response has arrived.
    pub(crate) fn poll_asking(&mut self, cx: &mut Context<'_>) {
        let Http::Asking(_) = self.http else { return };
        loop {
            if !self.advance_asking() {
                return;
            }
            let is_flushed = self.is_flushed();
            let Self { http: Http::Asking(asking), transport, out, .. } = self else { return };
            let Some(inbox) = asking.inbox() else { return };
            match fill(transport, cx, inbox) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(ended)) => return self.end(ended),
                Poll::Pending => {
                    if let Some(stalled) = asking.stalled().filter(|_| transport.found_nothing()).cloned() {
                        return self.end(stalled);
                    }
                    let now = transport.now();
                    let is_late = asking.is_late(now);
                    if is_late && out.is_on_its_way(now, || transport.unacknowledged()) {
                        // The server has not received the request, and its time begins with the next look.
                        asking.pause();
                        continue;
                    }
                    if asking.goes_out(is_flushed) {
                        asking.pause();
                    }
                    self.advance_asking();
                    return;
                }
            }
        }
    }

    /// Parses what has arrived. True if a head, or the end, is still waited for.
    fn advance_asking(&mut self) -> bool {
        let Some(asking) = self.http.asking() else { return false };
        if !asking.waits() {
            return false;
        }
        let before = asking.interims.len();
        let advanced = asking.advance();
        let waits = asking.waits();
        let has_news = !waits || asking.interims.len() > before;
        match advanced {
            Ok(None) => {}
            Ok(Some(socket)) => self.socket = SocketState::Open(socket.session().into()),
            Err(ended) => self.end(ended),
        }
        if has_news {
            self.wake_reader();
        }
        waits
    }
}
