//! The state of a connection during its handshake only: a time, a place among those that are allowed at once, and the
//! waiting tasks.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::places::Place;

/// A handshake in progress.
#[derive(Default)]
pub(super) struct Handshake {
    time: Option<Time>,
    /// Waited for once the first bytes have come.
    place: Option<Place>,
    /// Bytes have come that were not looked at.
    pub(super) has_come: bool,
    waiting: Arc<Waiting>,
}

struct Time {
    limit: Duration,
    over: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// The side that waits for the end of a handshake.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Read,
    Write,
}

/// Reading and writing may be in different tasks, and each part of a handshake is waited for by both.
#[derive(Default)]
struct Waiting(Mutex<[Option<Waker>; 2]>);

impl Handshake {
    /// Makes a handshake with a time, which `sleep` waits for, and a place that it waits for.
    pub(super) fn bounded(
        limit: Duration,
        sleep: impl Future<Output = ()> + Send + 'static,
        place: Place,
    ) -> Self {
        let time = Time { limit, over: Box::pin(sleep) };
        Self { time: Some(time), place: Some(place), ..Self::default() }
    }

    /// Waits for its place.
    pub(super) fn poll_place(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.place.as_mut().map_or(Poll::Ready(()), |place| place.poll(cx))
    }

    /// A waker for all waiting tasks, including this one.
    pub(super) fn waker(&self, side: Side, cx: &Context<'_>) -> Waker {
        let known = self.waiting.put(side, Some(cx.waker().clone()));
        drop(known);
        Arc::clone(&self.waiting).into()
    }

    /// Ends the handshake, and wakes the task on the other side.
    pub(super) fn wake_other(self, side: Side) {
        self.waiting.put(side, None);
        self.waiting.wake();
    }

    /// Ready once its time is over.
    pub(super) fn poll_time(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Some(Time { limit, over }) = &mut self.time else { return Poll::Pending };
        over.as_mut().poll(cx).map(|()| {
            let text = format!("expected the end of the TLS handshake within {limit:?}");
            io::Error::new(io::ErrorKind::TimedOut, text)
        })
    }
}

impl Waiting {
    fn put(&self, side: Side, waker: Option<Waker>) -> Option<Waker> {
        let mut both = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [read, write] = &mut *both;
        let slot = match side {
            Side::Read => read,
            Side::Write => write,
        };
        std::mem::replace(slot, waker)
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        let both = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        both.into_iter().flatten().for_each(Waker::wake);
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake").finish_non_exhaustive()
    }
}
