//! Ends a connection: sends the last bytes, then closes.

use std::task::{Context, Poll, ready};

use endwell_core::http::server::Linger;
use endwell_core::{Held, Step};

use crate::scratch;
use crate::wire::{Link, Wire};

/// What remains to be sent.
pub(super) enum Last {
    Bytes,
    EndOfStream,
    Nothing,
}

/// Writes the last bytes, ends the write side, and waits for the peer to close. If anything fails on the way, the
/// connection is over, since no peer is left to tell.
pub(super) fn poll_close(
    link: &Link,
    wire: &mut Wire,
    held: &mut Held<Linger>,
    last: &mut Last,
    cx: &mut Context<'_>,
) -> Poll<()> {
    loop {
        if link.hub.is_cut() {
            return Poll::Ready(());
        }
        let sent = match last {
            Last::Bytes => wire.poll_write_out(cx).map(|written| written.map(|()| Last::EndOfStream)),
            Last::EndOfStream => wire.poll_end_write(cx).map(|ended| ended.map(|()| Last::Nothing)),
            Last::Nothing => Poll::Pending,
        };
        match sent {
            Poll::Ready(Ok(next)) => {
                *last = next;
                continue;
            }
            Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Pending => {}
        }
        let now = wire.now();
        if let (Last::Nothing, Some(linger)) = (&*last, held.as_mut()) {
            let is_over = linger.deadline().is_some_and(|deadline| now >= deadline.at);
            // A reset would destroy data that the peer has not read yet and is reading.
            if is_over && !linger.inbox().has_ended() && wire.is_on_its_way() {
                linger.extend(now);
            }
        }
        let done = held.step(|mut linger| match last {
            // The peer's time runs from our last byte. Until then we may have to read from the peer, or it would never
            // get to read.
            Last::Bytes | Last::EndOfStream => {
                linger.discard();
                (Some(linger), false)
            }
            Last::Nothing => match linger.poll(now) {
                Step::Wait(linger) => (Some(linger), false),
                Step::Done(()) => (None, true),
            },
        });
        let Some(linger) = held.as_mut().filter(|_| done == Some(false)) else { return Poll::Ready(()) };
        if !linger.inbox().has_ended() {
            if let Poll::Ready(filled) = wire.poll_fill(cx, linger.inbox()) {
                if filled.is_err() {
                    return Poll::Ready(());
                }
                linger.discard();
                scratch::reclaim_room(linger.inbox());
                continue;
            }
        }
        ready!(wire.poll_deadline(cx, held.as_ref().and_then(Linger::deadline)));
    }
}
