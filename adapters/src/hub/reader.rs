//! Reads what happens in a hub.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::HubEvent;
use super::shared::Shared;

/// Reads what happens in a [`Hub`](super::Hub), in order: made by [`Hub::events`](super::Hub::events).
///
/// A reader that is too far behind is told exactly how many events it has missed ([`HubEvent::Lagged`]). It holds up
/// nothing. With feature `futures` it is also a `Stream` without an end.
pub struct HubEvents {
    shared: Arc<Shared>,
    reader: usize,
    at: u64,
}

impl HubEvents {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        let (at, reader) = shared.add_reader();
        Self { shared: Arc::clone(shared), reader, at }
    }

    /// Waits for the next event.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: an event that was not returned is returned by the next call.
    pub fn next_event(&mut self) -> NextEvent<'_> {
        NextEvent { events: self }
    }

    fn poll(&mut self, cx: &Context<'_>) -> Poll<HubEvent> {
        self.shared.poll_event(self.reader, &mut self.at, cx)
    }
}

impl Drop for HubEvents {
    fn drop(&mut self) {
        self.shared.remove_reader(self.reader);
    }
}

#[cfg(feature = "futures")]
impl futures_core::Stream for HubEvents {
    type Item = HubEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<HubEvent>> {
        self.get_mut().poll(cx).map(Some)
    }
}

/// Waits for what happens next in a hub: [`HubEvents::next_event`].
#[must_use = "futures do nothing unless polled"]
pub struct NextEvent<'a> {
    events: &'a mut HubEvents,
}

impl Future for NextEvent<'_> {
    type Output = HubEvent;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<HubEvent> {
        self.get_mut().events.poll(cx)
    }
}

impl fmt::Debug for HubEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubEvents").finish_non_exhaustive()
    }
}

impl fmt::Debug for NextEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NextEvent").finish_non_exhaustive()
    }
}
